import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

/**
 * Values of the address under their names, each with what stands for it when it is not there. A change of a filter goes back
 * to the first page of the list; Back and a link bring everything again.
 */
export function useFilters<K extends string>(fallback: Record<K, string>): [Record<K, string>, (change: Partial<Record<K, string>>) => void, boolean] {
  const [params, setParams] = useSearchParams();
  const names = Object.keys(fallback) as K[];
  const values = Object.fromEntries(names.map((name) => [name, params.get(name) ?? fallback[name]])) as Record<K, string>;
  const key = JSON.stringify(fallback);
  const change = useCallback(
    (wanted: Partial<Record<K, string>>) =>
      setParams(
        (before) => {
          const usual = JSON.parse(key) as Record<string, string>;
          const next = new URLSearchParams(before);
          if (!('offset' in wanted)) next.delete('offset');
          for (const [name, value] of Object.entries(wanted) as [string, string][])
            if (value === usual[name]) next.delete(name);
            else next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [key, setParams],
  );
  const filtered = names.some((name) => !['offset', 'sort', 'order'].includes(name) && values[name] !== fallback[name]);
  return [values, change, filtered];
}
