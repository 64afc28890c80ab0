import { expect, test } from 'vitest';
import { diff } from './TextDiff';

test('what differs is marked on both sides', () => {
  expect(diff('12.50', '12.60')).toEqual([
    [{ text: '12.', same: true }, { text: '5', same: false }, { text: '0', same: true }],
    [{ text: '12.', same: true }, { text: '6', same: false }, { text: '0', same: true }],
  ]);
  expect(diff('', '金额')).toEqual([[], [{ text: '金额', same: false }]]);
});

test('both sides keep their text', () => {
  const [left = [], right = []] = diff('ACME Sdn Bhd', 'ACNE SDN. Bhd');
  expect(left.map((part) => part.text).join('')).toBe('ACME Sdn Bhd');
  expect(right.map((part) => part.text).join('')).toBe('ACNE SDN. Bhd');
});

test('nothing of a long text is left out', () => {
  const long = 'x'.repeat(500);
  const [left, right] = diff(`${long}a`, `${long}b`);
  expect(left!.map((part) => part.text).join('')).toBe(`${long}a`);
  expect(right!.map((part) => part.text).join('')).toBe(`${long}b`);
});
