import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { Schemas } from '../api/client';
import { useText } from '../i18n';
import { count } from '../format/format';
import { Card, Check, Plain, Select } from './kit';
import { ProblemBox } from './Loaded';
import { SearchField } from './SearchField';
import { searchLog, useLogLines, type Level } from './useLogLines';

type Line = Schemas['LogLine'];
const LONGEST = 4000;
const ROW = 20;

/** The log of a run: searched by the server over all of it, filtered by level, followed live while the run goes on. */
export function LogViewer({ run, live }: { run: string; live: boolean }) {
  const { t } = useText();
  const [word, setWord] = useState('');
  const [level, setLevel] = useState<Level | ''>('');
  const [follow, setFollow] = useState(live);
  const [hit, setHit] = useState(0);
  const { lines, error, retry, reach } = useLogLines(run, level, live, follow);
  const search = useQuery({
    queryKey: ['log-search', run, word, level, live ? Math.floor(lines.length / 50) : 'all'],
    queryFn: ({ signal }) => searchLog(run, word, level, signal),
    enabled: word !== '',
    placeholderData: (before) => before,
  });
  const hits = word === '' ? [] : (search.data ?? []);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 20 });
  const present = hits.length === 0 ? -1 : ((hit % hits.length) + hits.length) % hits.length;
  const place = present < 0 ? -1 : lines.findIndex((line) => line.number === hits[present]);

  const jump = (step: number) => {
    if (hits.length === 0) return;
    setFollow(false);
    const next = (((present + step) % hits.length) + hits.length) % hits.length;
    setHit(next);
    reach(hits[next]!);
  };
  useEffect(() => {
    if (place >= 0) list.scrollToIndex(place, { align: 'center' });
  }, [place, list]);
  useEffect(() => {
    if (follow && lines.length > 0) list.scrollToIndex(lines.length - 1);
  }, [follow, lines.length, list]);
  const onScroll = () => {
    const element = box.current!;
    if (follow && element.scrollTop + element.clientHeight < element.scrollHeight - 3 * ROW) setFollow(false);
  };

  return (
    <Card
      title={t('log.title')}
      extra={
        <>
          <span onKeyDown={(event) => event.key === 'Enter' && jump(event.shiftKey ? -1 : 1)}>
            <SearchField
              value={word}
              label={t('log.search')}
              onChange={(text) => {
                setWord(text);
                setHit(0);
              }}
            />
          </span>
          {word !== '' && (
            <>
              <span className="sg-secondary sg-figures" role="status">
                {t('log.hits', { hit: count(present + 1), total: count(hits.length) })}
              </span>
              <Plain size="small" aria-label={t('log.hitBefore')} onClick={() => jump(-1)}>
                ↑
              </Plain>
              <Plain size="small" aria-label={t('log.hitAfter')} onClick={() => jump(1)}>
                ↓
              </Plain>
            </>
          )}
          <Select aria-label={t('log.level')} value={level} onChange={(event) => setLevel(event.target.value as Level | '')}>
            <option value="">{t('log.levels.all')}</option>
            {(['info', 'warning', 'error'] as const).map((item) => (
              <option key={item} value={item}>
                {t(`log.levels.${item}`)}
              </option>
            ))}
          </Select>
          {live && <Check label={t('log.follow')} checked={follow} onChange={() => setFollow(!follow)} />}
          <a className="t-button t-button--theme-default t-button--variant-outline t-size-s" href={`/v1/runs/${encodeURIComponent(run)}/logs/file`} download={`${run}.log`}>
            <span className="t-button__text">{t('log.download')}</span>
          </a>
        </>
      }
    >
      {error !== null && <ProblemBox error={error} retry={retry} />}
      {search.isError && <ProblemBox error={search.error} retry={() => void search.refetch()} />}
      <div ref={box} className="sg-log" onScroll={onScroll} tabIndex={0} role="log" aria-label={t('log.title')} aria-live="off">
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {list.getVirtualItems().map((item) => (
            <LogRow key={item.key} line={lines[item.index]!} word={word} on={place === item.index} top={item.start} />
          ))}
        </div>
        {lines.length === 0 && error === null && <p className="sg-secondary sg-log-none">{t('log.none')}</p>}
      </div>
    </Card>
  );
}

/** Lines as they are, for instance those before a failure. */
export function LogLines({ lines }: { lines: readonly Line[] }) {
  return (
    <div className="sg-log-lines" tabIndex={0}>
      {lines.map((line) => (
        <LogRow key={line.number} line={line} word="" on={false} />
      ))}
    </div>
  );
}

/** Time of a line, `15:04:05.123`, in the zone of the browser. */
function lineTime(at: string | null): string {
  if (at === null) return '';
  const date = new Date(at);
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function LogRow({ line, word, on, top }: { line: Line; word: string; on: boolean; top?: number }) {
  const style = top === undefined ? undefined : ({ position: 'absolute', top: 0, transform: `translateY(${top}px)` } as const);
  return (
    <div className="sg-log-line" data-level={line.level} data-on={on} style={style}>
      <span className="sg-secondary">{lineTime(line.at)}</span>
      <span>{marked(line.message.split('\n')[0]!.slice(0, LONGEST), word)}</span>
    </div>
  );
}

function marked(text: string, word: string) {
  if (word === '') return text;
  const parts: React.ReactNode[] = [];
  const [low, wanted] = [text.toLowerCase(), word.toLowerCase()];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + word.length)}</mark>);
    from = at + word.length;
  }
  return [...parts, text.slice(from)];
}
