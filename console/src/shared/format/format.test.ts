import { describe, expect, test } from 'vitest';
import { ago, clock, count, duration, interval, latency, moment, NOTHING, percent, size } from './format';

describe('formats', () => {
  test('what is not known is a dash', () => {
    for (const shown of [percent(null, 'en'), percent(NaN, 'en'), interval(null, 1), count(undefined), clock(null)])
      expect(shown).toBe(NOTHING);
    expect(moment('nonsense', 'en')).toBe(NOTHING);
  });
  test('percents', () => {
    expect(percent(0.9634, 'en')).toBe('96.3 %');
    expect(percent(0.9634, 'zh-CN')).toBe('96.3%');
    expect(interval(0.926, 0.9714)).toBe('92.6–97.1');
  });
  test('times', () => {
    expect(duration(3900, 'en')).toBe('1 h 05 min');
    expect(duration(3900, 'zh-CN')).toBe('1 小时 05 分');
    expect(duration(59.7, 'en')).toBe('1 min');
    expect(clock(1570)).toBe('00:26:10');
    expect(latency(23.4)).toBe('23 ms');
    expect(latency(1234)).toBe('1.2 s');
  });
  test('sizes', () => {
    expect(size(999)).toBe('999 B');
    expect(size(1_234_567)).toBe('1.2 MB');
    expect(count(12345)).toBe('12,345');
  });
  test('moments', () => {
    const at = new Date(2026, 10, 24, 15, 4, 5).toISOString();
    expect(moment(at, 'zh-CN')).toBe('2026-11-24 15:04:05');
    expect(moment(at, 'en')).toBe('24 Nov 2026, 15:04:05');
    expect(ago(at, 'en', new Date(at).getTime() + 200_000)).toBe('3 min ago');
    expect(ago(at, 'zh-CN', new Date(at).getTime() + 7_300_000)).toBe('2 小时前');
    expect(ago(at, 'en', new Date(at).getTime() + 90_000_000)).toBe('24 Nov 2026, 15:04:05');
  });
});
