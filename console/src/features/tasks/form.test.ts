import { expect, test } from 'vitest';
import { body, choice, EMPTY, fromVersion, keepDraft, keptDraft, seconds, withScenario, type Draft } from './form';

const draft: Draft = {
  ...EMPTY,
  name: ' invoices ',
  tags: '财务，finance, ',
  scenario: 'ocr',
  train: ['receipts'],
  amount: '1.5',
  unit: 'h',
  target: '95',
};

test('times are minutes, hours or no limit', () => {
  expect(seconds({ amount: '10', unit: 'min' })).toBe(600);
  expect(seconds({ amount: '1.5', unit: 'h' })).toBe(5400);
  expect(seconds({ amount: '', unit: 'none' })).toBeNull();
  for (const amount of ['', '0', '-1', 'x']) expect(seconds({ amount, unit: 'min' })).toBeUndefined();
});

test('the request says what the form says', () => {
  const made = body(draft);
  expect([made.name, made.tags, made.max_seconds, made.target_score]).toEqual(['invoices', ['财务', 'finance'], 5400, 0.95]);
  expect(body({ ...draft, from: 'old' })).toMatchObject({ name: null, new_version_of: 'old' });
});

test('parts are shares of the training set or datasets of their own, never both', () => {
  const given = choice({ ...draft, test: { by: 'datasets', percent: 30, datasets: ['unseen@v2'] } });
  expect([given.test, given.test_percent]).toEqual([['unseen@v2'], null]);
  const share = choice({ ...draft, test: { by: 'percent', percent: 30, datasets: ['unseen@v2'] } });
  expect([share.test, share.test_percent]).toEqual([[], 30]);
});

test('another scenario drops what does not fit and says what', () => {
  const [changed, dropped] = withScenario({ ...draft, labels: ['total'], parameters: { members: 2 } }, 'detection', { preset: 'eye' });
  expect(changed).toMatchObject({ scenario: 'detection', train: [], labels: null, parameters: { preset: 'eye' }, name: ' invoices ' });
  expect(dropped).toEqual(['train', 'labels', 'parameters']);
  expect(withScenario({ ...EMPTY, train: ['receipts'] }, 'ocr')[1]).toEqual([]);
});

test('a version is repeated as it was', () => {
  const settings = { ...body(draft), labels: ['total'], label_map: { sum: 'total' }, validation_percent: 10, test_percent: null, spec: '2C4G' };
  const version = { task: 'invoices', scenario: 'ocr', settings, datasets: { train: ['receipts@v1'], validation: [], test: ['unseen@v2'] } };
  const again = fromVersion(version as never, 'version');
  expect(again).toMatchObject({ from: 'invoices', train: ['receipts@v1'], amount: '90', unit: 'min', target: '95', labelMap: { sum: 'total' } });
  expect(again.test).toEqual({ by: 'datasets', percent: 20, datasets: ['unseen@v2'] });
  expect(fromVersion(version as never, 'copy')).toMatchObject({ from: null, name: 'invoices-copy' });
});

test('a draft survives', () => {
  keepDraft(draft);
  expect(keptDraft()).toEqual(draft);
  keepDraft(null);
  expect(keptDraft()).toEqual(EMPTY);
});
