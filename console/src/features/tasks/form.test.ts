import { beforeEach, expect, test } from 'vitest';
import { body, EMPTY, fromVersion, keepDraft, keptDraft, seconds } from './form';

beforeEach(() => localStorage.clear());

test('times', () => {
  expect(seconds({ amount: '10', unit: 'min' })).toBe(600);
  expect(seconds({ amount: '1.5', unit: 'h' })).toBe(5400);
  expect(seconds({ amount: '', unit: 'none' })).toBeNull();
  for (const amount of ['', '0', '-3', 'ten']) expect(seconds({ amount, unit: 'min' })).toBeUndefined();
});

test('what is sent', () => {
  const sent = body({ ...EMPTY, name: ' invoices ', scenario: 'ocr', train: ['a@v1'], tags: 'x， y,', target: '95' });
  expect(sent).toMatchObject({ name: 'invoices', tags: ['x', 'y'], target_score: 0.95, max_seconds: 3600, spec: null });
  expect(body({ ...EMPTY, from: 'invoices' })).toMatchObject({ name: null, new_version_of: 'invoices' });
});

test('a version is taken up with its settings', () => {
  const draft = fromVersion({
    task: 'invoices',
    scenario: 'ocr',
    datasets: { train: ['a@v1'], validation: [], test: ['b@v2'] },
    settings: { max_seconds: 90, target_score: null, preference: 'fastest', parameters: { members: 2 }, labels: ['total'], validation_percent: 10, spec: '2C4G' },
  } as never);
  expect(draft).toMatchObject({ from: 'invoices', amount: '1.5', unit: 'min', test: ['b@v2'], labels: ['total'], parameters: { members: 2 } });
  expect(seconds(draft)).toBe(90);
});

test('a draft survives a reload, and rubbish does not stop the page', () => {
  keepDraft({ ...EMPTY, name: 'kept' });
  expect(keptDraft()?.name).toBe('kept');
  localStorage.setItem('sandglass.draft.task', '{');
  expect(keptDraft()).toBeNull();
});
