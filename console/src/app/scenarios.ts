import { registerScenario } from '../shared/scenario/registry';

registerScenario('ocr', () => import('../scenarios/ocr'));
registerScenario('classification', () => import('../scenarios/classes'));
registerScenario('detection', () => import('../scenarios/objects'));
registerScenario('tableware', () => import('../scenarios/objects'));
