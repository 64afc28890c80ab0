import { expect, test } from 'vitest';
import { curve, interval, matrix, rows, stepOf, total, type Results } from './numbers';

const steps = Array.from({ length: 19 }, (_, index) => (index + 1) * 0.05);
const counts = (tp: number, fp: number, fn: number) => steps.map((_, step) => ({ tp: Math.max(0, tp - step), fp: Math.max(0, fp - step), fn: fn + Math.min(tp, step) }));
const results = {
  thresholds: steps,
  sample_count: 10,
  overall: counts(15, 3, 2),
  overall_exact: counts(14, 4, 3),
  labels: [
    { label: 'date', support: 9, counts: counts(8, 2, 1), exact_counts: counts(7, 3, 2), best_threshold: 0.1, average_precision: 0.8 },
    { label: 'total', support: 8, counts: counts(7, 1, 1), exact_counts: counts(7, 1, 1), best_threshold: 0.05, average_precision: 0.9 },
  ],
  document_accuracy: steps.map(() => 0.5),
  document_accuracy_exact: steps.map(() => 0.4),
  confusion: steps.map(() => [
    { truth: 'date', predicted: 'date', count: 8 },
    { truth: 'date', predicted: null, count: 1 },
    { truth: null, predicted: 'total', count: 1 },
  ]),
  badcases: steps.map(() => 5),
  extra: {},
  recommended_threshold: 0.1,
} as unknown as Results;

test('numbers at a threshold', () => {
  const [date] = rows(results, 0, false);
  expect(date).toMatchObject({ label: 'date', precision: 0.8, recall: 8 / 9, support: 9 });
  expect(rows(results, 0, true)[0]!.precision).toBe(0.7);
  expect(rows(results, null, false)[0]!.precision).toBeCloseTo(7 / 8);
});

test('all labels and chosen labels', () => {
  expect(total(results, 0, false, null).precision).toBeCloseTo(15 / 18);
  expect(total(results, 0, false, new Set(['total']))).toMatchObject({ precision: 7 / 8, support: 8 });
});

test('no answer is not a precision of zero', () => {
  expect(rows(results, 18, false)[0]).toMatchObject({ precision: null, recall: 0 });
});

test('the interval holds the score and is that of the server', () => {
  const [low, high] = interval({ tp: 8, fp: 2, fn: 1 });
  expect(low!).toBeCloseTo(0.60564475, 6);
  expect(high!).toBeCloseTo(0.94877342, 6);
  expect(interval({ tp: 0, fp: 0, fn: 0 })).toEqual([null, null]);
});

test('curve and matrix', () => {
  expect(curve(results, 'date', false)[0]).toMatchObject({ precision: 0.8 });
  expect(matrix(results, 0)).toEqual({ names: ['date', 'total', null], cells: [[0, 0, 8], [2, 0, 1], [1, 2, 1]] });
  expect(stepOf(results, 0.5)).toBe(9);
});
