import { useSyncExternalStore } from 'react';

export type Mode = 'system' | 'light' | 'dark';
const KEY = 'sandglass.theme';
const dark = window.matchMedia?.('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function kept(): Mode {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

function apply(): void {
  const mode = kept();
  const isDark = mode === 'dark' || (mode === 'system' && (dark?.matches ?? false));
  document.documentElement.setAttribute('theme-mode', isDark ? 'dark' : 'light');
  for (const listener of listeners) listener();
}
dark?.addEventListener('change', apply);

export function setMode(mode: Mode): void {
  if (mode === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, mode);
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Chosen mode, and whether pages are dark now. */
export function useMode(): { mode: Mode; shown: 'light' | 'dark' } {
  const shown = useSyncExternalStore(subscribe, () =>
    document.documentElement.getAttribute('theme-mode') === 'dark' ? 'dark' : 'light',
  );
  const mode = useSyncExternalStore(subscribe, kept);
  return { mode, shown };
}
