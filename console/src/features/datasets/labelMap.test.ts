import { expect, test } from 'vitest';
import { mapOf, mergedLabels } from './labelMap';

test('only what changes is told', () => {
  expect(mapOf({ amount: 'total ', Date: 'Date', vat: null, x: ' ' })).toEqual({ amount: 'total', vat: null });
});

test('labels that get one name become one', () => {
  const merged = mergedLabels({ amount: 3, total: 5, vat: 1 }, { amount: 'total', vat: null });
  expect([...merged]).toEqual([['total', ['amount', 'total']]]);
});
