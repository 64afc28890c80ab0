/** Numbers, times and sizes as people of each language write them. Nothing known is shown as a dash, never as 0 or NaN. */

export const NOTHING = '-';
export type Language = 'zh-CN' | 'en';

const known = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

/** A share 0..1 as percent with one decimal. */
export function percent(value: number | null | undefined, language: Language): string {
  if (!known(value)) return NOTHING;
  return `${(value * 100).toFixed(1)}${language === 'en' ? ' %' : '%'}`;
}

/** An interval of shares as percents: `92.6–97.1`. */
export function interval(low: number | null | undefined, high: number | null | undefined): string {
  return known(low) && known(high) ? `${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)}` : NOTHING;
}

export function score(value: number | null | undefined): string {
  return known(value) ? value.toFixed(2) : NOTHING;
}

export function count(value: number | null | undefined): string {
  return known(value) ? value.toLocaleString('en-US') : NOTHING;
}

/** Milliseconds: `23 ms`, `1.2 s`. */
export function latency(milliseconds: number | null | undefined): string {
  if (!known(milliseconds)) return NOTHING;
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Seconds in words: `1 h 05 min`, `40 s`. */
export function duration(seconds: number | null | undefined, language: Language): string {
  if (!known(seconds)) return NOTHING;
  const [h, min, s] = language === 'en' ? [' h', ' min', ' s'] : [' 小时', ' 分', ' 秒'];
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${s}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${min}`;
  return `${Math.floor(minutes / 60)}${h} ${String(minutes % 60).padStart(2, '0')}${min}`;
}

/** Seconds as a clock: `00:26:10`. */
export function clock(seconds: number | null | undefined): string {
  if (!known(seconds)) return NOTHING;
  const whole = Math.max(0, Math.floor(seconds));
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** Bytes, decimal. */
export function size(bytes: number | null | undefined): string {
  if (!known(bytes)) return NOTHING;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Time of day: `15:04:05`. */
export function timeOfDay(milliseconds: number): string {
  const date = new Date(milliseconds);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** A moment: zh `2026-11-24 15:04:05`, en `24 Nov 2026, 15:04:05`. */
export function moment(iso: string | null | undefined, language: Language): string {
  if (!iso) return NOTHING;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return NOTHING;
  const two = (value: number) => String(value).padStart(2, '0');
  const time = timeOfDay(date.getTime());
  if (language === 'en') {
    const month = date.toLocaleString('en', { month: 'short' });
    return `${date.getDate()} ${month} ${date.getFullYear()}, ${time}`;
  }
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** How long ago, under a day; the moment itself beyond. */
export function ago(iso: string | null | undefined, language: Language, now = Date.now()): string {
  if (!iso) return NOTHING;
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (!Number.isFinite(seconds) || seconds > 86_400 || seconds < -60) return moment(iso, language);
  if (seconds < 60) return language === 'en' ? 'just now' : '刚刚';
  const hours = Math.floor(seconds / 3600);
  if (hours > 0) return language === 'en' ? `${hours} h ago` : `${hours} 小时前`;
  const minutes = Math.floor(seconds / 60);
  return language === 'en' ? `${minutes} min ago` : `${minutes} 分钟前`;
}
