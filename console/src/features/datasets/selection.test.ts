import { expect, test } from 'vitest';
import { change, EVERYTHING, has, NOTHING, range, size, step, told } from './selection';

test('samples are added and taken away', () => {
  const two = change(NOTHING, ['a', 'b'], true);
  expect([has(two, 'a'), has(two, 'c'), size(two, 100)]).toEqual([true, false, 2]);
  const one = change(two, ['a'], false);
  expect(told(one, {})).toEqual({ ids: ['b'] });
});

test('all matching but a few is told as a filter, however many there are', () => {
  const most = change(EVERYTHING, ['a'], false);
  expect([has(most, 'a'), has(most, 'z'), size(most, 100_000)]).toEqual([false, true, 99_999]);
  expect(told(most, { label: 'cup' })).toEqual({ filter: { label: 'cup' }, without: ['a'] });
  expect(size(change(most, ['a'], true), 10)).toBe(10);
});

test('a range goes both ways', () => {
  expect(range(2, 5)).toEqual([2, 3, 4, 5]);
  expect(range(5, 3)).toEqual([3, 4, 5]);
});

test('arrows move in the grid and stay inside', () => {
  expect(step('ArrowDown', 1, 4, 3, 10)).toBe(5);
  expect(step('ArrowDown', 8, 4, 3, 10)).toBe(9);
  expect(step('ArrowUp', 2, 4, 3, 10)).toBe(0);
  expect(step('PageDown', 0, 4, 2, 100)).toBe(8);
  expect(step('End', 0, 4, 3, 10)).toBe(9);
  expect(step('x', 0, 4, 3, 10)).toBeNull();
});
