import { describe, expect, it } from 'vitest';
import { money } from './Tally';

describe('money', () => {
  it('shows exact amounts in the language of the page', () => {
    expect(money('5.30', 'CNY', 'zh-CN')).toBe('¥5.30');
    expect(money('1234.5', 'EUR', 'en')).toBe('€1,234.50');
  });

  it('shows what has no price as nothing', () => {
    expect(money(null, 'CNY', 'en')).toBe('-');
  });

  it('keeps every digit of an amount that no floating-point number holds', () => {
    expect(money('9007199254740993.01', 'CNY', 'en')).toContain('9,007,199,254,740,993.01');
  });
});
