import { expect, test } from 'vitest';
import { NEUTRAL, PALETTE, RIGHT, TRUTH, WRONG, labelLook } from './palette';

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

test('names on label chips can be read', () => {
  for (let index = 0; index < PALETTE.length; index += 1) {
    const look = labelLook(index);
    expect([look.colour, contrast(look.colour, look.text) >= 4.5]).toEqual([look.colour, true]);
  }
});

test('the casing of a stroke stands out from the stroke', () => {
  for (const look of [NEUTRAL, RIGHT, WRONG, TRUTH, ...PALETTE.map((_, index) => labelLook(index))])
    expect([look.colour, contrast(look.colour, look.casing) >= 3]).toEqual([look.colour, true]);
});

test('colours come again with another stroke', () => {
  expect(labelLook(12).colour).toBe(labelLook(0).colour);
  expect(labelLook(12).dash).not.toBe(labelLook(0).dash);
  expect(labelLook(24).dash).not.toBe(labelLook(12).dash);
});
