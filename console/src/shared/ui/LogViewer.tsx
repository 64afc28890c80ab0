import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, unwrap, type Schemas } from '../api/client';
import { useText } from '../i18n';
import { Card, Check, Input, Plain, Select } from './kit';
import { ProblemBox } from './Loaded';

type Line = Schemas['LogLine'];
type Level = 'debug' | 'info' | 'warning' | 'error';
const MOST = 50_000;
const FOLDED = 4000;

/** The log of a run: searched and filtered by the server over all of it, followed while the run goes on. */
export function LogViewer({ run, live }: { run: string; live: boolean }) {
  const { t } = useText();
  const [typed, setTyped] = useState('');
  const [level, setLevel] = useState<Level | ''>('');
  const [onlyHits, setOnlyHits] = useState(false);
  const [follow, setFollow] = useState(live);
  const [hit, setHit] = useState(0);
  const { lines, error, retry } = useLines(run, level, onlyHits ? typed : '', live && follow);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 20, overscan: 20 });

  const hits = typed === '' ? [] : lines.flatMap((line, index) => (line.message.toLowerCase().includes(typed.toLowerCase()) ? [index] : []));
  const present = hits.length === 0 ? -1 : ((hit % hits.length) + hits.length) % hits.length;
  const jump = (step: number) => {
    if (hits.length === 0) return;
    const next = (((present + step) % hits.length) + hits.length) % hits.length;
    setHit(next);
    setFollow(false);
    list.scrollToIndex(hits[next]!, { align: 'center' });
  };
  useEffect(() => {
    if (follow && lines.length > 0) list.scrollToIndex(lines.length - 1);
  }, [follow, lines.length, list]);
  const onScroll = () => {
    const element = box.current!;
    if (follow && element.scrollTop + element.clientHeight < element.scrollHeight - 60) setFollow(false);
  };

  return (
    <Card
      title={t('log.title')}
      extra={
        <>
          <Input
            type="search"
            value={typed}
            placeholder={t('log.search')}
            aria-label={t('log.search')}
            onChange={(event) => {
              setTyped(event.target.value);
              setHit(0);
            }}
            onKeyDown={(event) => event.key === 'Enter' && jump(event.shiftKey ? -1 : 1)}
          />
          {typed !== '' && (
            <span className="sg-secondary sg-figures" aria-live="polite">
              {t('log.hits', { hit: present + 1, total: hits.length })}
            </span>
          )}
          <Check label={t('log.onlyHits')} checked={onlyHits} onChange={() => setOnlyHits(!onlyHits)} />
          <Select aria-label={t('log.level')} value={level} onChange={(event) => setLevel(event.target.value as Level | '')}>
            <option value="">{t('log.levels.all')}</option>
            {(['info', 'warning', 'error'] as const).map((item) => (
              <option key={item} value={item}>
                {t(`log.levels.${item}`)}
              </option>
            ))}
          </Select>
          {live && <Check label={t('log.follow')} checked={follow} onChange={() => setFollow(!follow)} />}
          <Plain size="small" onClick={() => download(run, lines)}>
            {t('log.download')}
          </Plain>
        </>
      }
    >
      {error !== null && <ProblemBox error={error} retry={retry} />}
      <div ref={box} className="sg-log" onScroll={onScroll} tabIndex={0} role="log" aria-label={t('log.title')} aria-live="off">
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {list.getVirtualItems().map((item) => {
            const line = lines[item.index]!;
            return (
              <div
                key={item.key}
                className="sg-log-line"
                data-level={line.level}
                style={{ position: 'absolute', top: 0, transform: `translateY(${item.start}px)`, background: hits[present] === item.index ? 'var(--td-brand-color-light)' : undefined }}
              >
                <span className="sg-secondary">{line.at?.slice(11, 23) ?? ''}</span>
                <span>{marked(line.message.split('\n')[0]!.slice(0, FOLDED), typed)}</span>
              </div>
            );
          })}
        </div>
        {lines.length === 0 && error === null && <p className="sg-secondary" style={{ padding: '0 12px' }}>{t('log.none')}</p>}
      </div>
    </Card>
  );
}

function marked(text: string, word: string) {
  if (word === '') return text;
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (let at = text.toLowerCase().indexOf(word.toLowerCase()); at >= 0; at = text.toLowerCase().indexOf(word.toLowerCase(), from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + word.length)}</mark>);
    from = at + word.length;
  }
  return [...parts, text.slice(from)];
}

function download(run: string, lines: Line[]) {
  const text = lines.map((line) => `${line.at ?? ''} ${line.level} ${line.message}`).join('\n');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = `${run}.log`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** All lines by pages; while `follow`, what is written later is added. */
function useLines(run: string, level: string, q: string, follow: boolean) {
  const [lines, setLines] = useState<Line[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const cursor = useRef<string | undefined>(undefined);
  const read = useCallback(
    async (signal: AbortSignal) => {
      for (;;) {
        const page = await unwrap(
          api.GET('/v1/runs/{run}/logs', {
            params: { path: { run }, query: { cursor: cursor.current, q, level: (level || undefined) as Level | undefined, limit: 5000 } },
            signal,
          }),
        );
        if (signal.aborted) return;
        cursor.current = page.next;
        if (page.items.length > 0) setLines((before) => [...before, ...page.items].slice(-MOST));
        if (page.end) return;
      }
    },
    [run, q, level],
  );
  useEffect(() => {
    const control = new AbortController();
    cursor.current = undefined;
    setLines([]);
    setError(null);
    read(control.signal).catch((problem: unknown) => {
      if (!control.signal.aborted) setError(problem);
    });
    return () => control.abort();
  }, [read, round]);
  useEffect(() => {
    if (!follow) return;
    const control = new AbortController();
    let busy = false;
    const timer = setInterval(() => {
      if (document.hidden || busy || cursor.current === undefined) return;
      busy = true;
      read(control.signal)
        .catch((problem: unknown) => {
          if (!control.signal.aborted) setError(problem);
        })
        .finally(() => {
          busy = false;
        });
    }, 1500);
    return () => {
      clearInterval(timer);
      control.abort();
    };
  }, [follow, read]);
  return { lines, error, retry: () => setRound(round + 1) };
}
