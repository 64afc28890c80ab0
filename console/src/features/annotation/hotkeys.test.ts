import { expect, test } from 'vitest';
import { matches } from './hotkeys';

const key = (key: string, more: Partial<KeyboardEventInit> = {}) => new KeyboardEvent('keydown', { key, ...more });

test('letters match by what they write, digits by where they are', () => {
  expect(matches(key('l', { code: 'KeyP' }), 'L')).toBe(true);
  expect(matches(key('&', { code: 'Digit1' }), '1')).toBe(true);
  expect(matches(key('!', { code: 'Digit1', shiftKey: true }), 'Shift+1')).toBe(true);
  expect(matches(key('!', { code: 'Digit1', shiftKey: true }), '1')).toBe(false);
  expect(matches(key('Z', { ctrlKey: true, shiftKey: true }), 'Ctrl+Shift+Z')).toBe(true);
  expect(matches(key('z', { ctrlKey: true }), 'Ctrl+Shift+Z')).toBe(false);
  expect(matches(key('l', { ctrlKey: true }), 'L')).toBe(false);
  expect(matches(key('?', { shiftKey: true }), '?')).toBe(true);
  expect(matches(key('+', { shiftKey: true }), '+')).toBe(true);
  expect(matches(key('ArrowLeft', { shiftKey: true }), 'Shift+ArrowLeft')).toBe(true);
});
