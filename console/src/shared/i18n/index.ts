import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';
import { setApiLanguage } from '../api/client';
import type { Language } from '../format/format';
import { en, zh } from './catalogues';

const KEY = 'sandglass.language';
export const LANGUAGES: readonly Language[] = ['zh-CN', 'en'];

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept === 'zh-CN' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

function told(language: Language): void {
  setApiLanguage(language);
  document.documentElement.lang = language;
}

export async function startI18n(): Promise<void> {
  const language = preferred();
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { en: { translation: en }, 'zh-CN': { translation: zh } },
    interpolation: { escapeValue: false },
    returnNull: false,
    saveMissing: true,
    missingKeyHandler: (_languages, _namespace, key) => console.error(`There is no text ${key}.`),
  });
  told(language);
}

/** Change the language of pages and answers; it is kept on this machine. */
export function changeLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
  told(language);
  void i18next.changeLanguage(language);
}

/** Translation function and present language. */
export function useText() {
  const { t, i18n } = useTranslation();
  return { t, language: i18n.language as Language };
}
