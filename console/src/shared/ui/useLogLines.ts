import { useCallback, useEffect, useRef, useState } from 'react';
import { api, unwrap, type Schemas } from '../api/client';

type Line = Schemas['LogLine'];
export type Level = 'debug' | 'info' | 'warning' | 'error';

/** Lines that are held at once; of a longer log the part that is looked at. */
const MOST = 50_000;
const PIECE = 5000;
/** Pieces of a search; a word that is on more lines than these hold is counted up to there. */
const MOST_HITS = 20_000;

async function page(run: string, query: { cursor?: string; q?: string; level: Level | ''; limit: number }, signal: AbortSignal) {
  const { level, ...rest } = query;
  return unwrap(api.GET('/v1/runs/{run}/logs', { params: { path: { run }, query: { ...rest, level: level || undefined } }, signal }));
}

/** Numbers of all lines of the log that hold a word, whether they are loaded here or not. */
export async function searchLog(run: string, word: string, level: Level | '', signal: AbortSignal): Promise<number[]> {
  const hits: number[] = [];
  let cursor: string | undefined;
  for (;;) {
    const found = await page(run, { cursor, q: word, level, limit: PIECE }, signal);
    hits.push(...found.items.map((line) => line.number));
    cursor = found.next;
    if (found.end || hits.length >= MOST_HITS) return hits;
  }
}

/**
 * Lines of a log: read by pieces, then followed by the server's event stream, which is let go while nobody follows or the
 * page is hidden. `reach` loads the part of a long log that holds a line.
 */
export function useLogLines(run: string, level: Level | '', live: boolean, follow: boolean) {
  const [lines, setLines] = useState<Line[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [start, setStart] = useState<{ cursor?: string; round: number }>({ round: 0 });
  const [read, setRead] = useState(false);
  const cursor = useRef<string | undefined>(undefined);
  /** Where each piece began: the number of its first line and how to come back there. */
  const pieces = useRef<{ first: number; cursor?: string }[]>([]);

  const add = useCallback((items: Line[]) => setLines((before) => [...before, ...items].slice(-MOST)), []);
  useEffect(() => {
    const control = new AbortController();
    cursor.current = start.cursor;
    setLines([]);
    setRead(false);
    setError(null);
    const load = async () => {
      for (;;) {
        const began = cursor.current;
        const got = await page(run, { cursor: began, level, limit: PIECE }, control.signal);
        if (control.signal.aborted) return;
        if (got.items[0] && !pieces.current.some((piece) => piece.cursor === began)) pieces.current.push({ first: got.items[0].number, cursor: began });
        cursor.current = got.next;
        add(got.items);
        if (got.end) break;
      }
      setRead(true);
    };
    load().catch((problem: unknown) => {
      if (!control.signal.aborted) setError(problem);
    });
    return () => control.abort();
  }, [run, level, start, add]);

  useEffect(() => {
    if (!read || !live || !follow) return;
    let source: EventSource | null = null;
    const open = () => {
      const query = new URLSearchParams({ follow: 'true', cursor: cursor.current ?? '', ...(level && { level }) });
      source = new EventSource(`/v1/runs/${encodeURIComponent(run)}/logs?${query}`);
      let waiting: Line[] = [];
      source.addEventListener('log', (event) => waiting.push(JSON.parse((event as MessageEvent<string>).data) as Line));
      source.addEventListener('cursor', (event) => {
        cursor.current = JSON.parse((event as MessageEvent<string>).data) as string;
        if (waiting.length > 0) add(waiting);
        waiting = [];
      });
      source.addEventListener('end', () => source?.close());
      // The stream begins again where it broke off, not at the beginning.
      source.addEventListener('error', () => {
        source?.close();
        timer = setTimeout(() => !document.hidden && open(), 2000);
      });
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onVisibility = () => {
      clearTimeout(timer);
      source?.close();
      source = null;
      if (!document.hidden) open();
    };
    if (!document.hidden) open();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
      source?.close();
    };
  }, [run, level, live, follow, read, add]);

  const reach = (number: number) => {
    const first = lines[0]?.number ?? 0;
    if (number >= first) return;
    const piece = pieces.current.filter((item) => item.first <= number).at(-1);
    setStart((before) => ({ cursor: piece?.cursor, round: before.round + 1 }));
  };
  return { lines, error, reach, retry: () => setStart((before) => ({ ...before, round: before.round + 1 })) };
}
