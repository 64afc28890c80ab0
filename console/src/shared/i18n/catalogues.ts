/** All texts of the console, one file per room and language; the rooms' top keys do not overlap. */
import enAccount from './locales/en/account.json';
import enAnnotation from './locales/en/annotation.json';
import enConsole from './locales/en/console.json';
import enDatasets from './locales/en/datasets.json';
import enServices from './locales/en/services.json';
import zhAccount from './locales/zh-CN/account.json';
import zhAnnotation from './locales/zh-CN/annotation.json';
import zhConsole from './locales/zh-CN/console.json';
import zhDatasets from './locales/zh-CN/datasets.json';
import zhServices from './locales/zh-CN/services.json';

export const en = { ...enConsole, ...enDatasets, ...enAnnotation, ...enAccount, ...enServices };
export const zh = { ...zhConsole, ...zhDatasets, ...zhAnnotation, ...zhAccount, ...zhServices };
