import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { picture } from '../../shared/api/queries';
import { count, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Plain } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { DIGITS, matches } from './hotkeys';
import { filterOf } from './queries';
import { manager } from './sync/manager';
import { Saving } from './TopBar';
import { useLabels } from './useLabels';

const PAGE = 100;
const TILE = 168;
const HEIGHT = 160;

/** Many pictures at once: select some, press a digit. */
export function Grid({ dataset }: { dataset: Schemas['DatasetView'] }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [params] = useSearchParams();
  const filter = useMemo(() => filterOf(params), [params]);
  const labels = useLabels(dataset.name, false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [anchor, setAnchor] = useState<string | null>(null);
  const [given, setGiven] = useState<ReadonlyMap<string, string>>(new Map());
  const [columns, setColumns] = useState(6);
  const box = useRef<HTMLDivElement>(null);
  const pages = useInfiniteQuery({
    queryKey: ['dataset', dataset.name, 'annotation-grid', filter],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/v1/datasets/{dataset}/samples', { params: { path: { dataset: dataset.name }, query: { ...filter, annotations: true, limit: PAGE, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchOnWindowFocus: false,
  });
  const items = useMemo(() => (pages.data?.pages.flatMap((page) => page.items) ?? []) as unknown as Schemas['SampleView'][], [pages.data]);
  const rows = useVirtualizer({ count: Math.ceil(items.length / columns), getScrollElement: () => box.current, estimateSize: () => HEIGHT, overscan: 3 });
  const seen = rows.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if ((last + 3) * columns >= items.length && pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
  }, [last, columns, items.length, pages]);
  useEffect(() => {
    void manager.start();
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setColumns(Math.max(1, Math.floor(element.clientWidth / TILE))));
    observer.observe(element);
    return () => {
      observer.disconnect();
      void queries.invalidateQueries({ queryKey: ['dataset', dataset.name] });
    };
  }, [dataset.name, queries]);

  const give = (label: string) => {
    const byId = new Map(items.map((item) => [item.id, item]));
    for (const id of chosen) {
      const item = byId.get(id);
      if (!item) continue;
      manager.of(dataset.name, 'classes', item).edit({ labels: [label], state: 'labelled', suggested: Object.fromEntries(Object.keys(item.suggested ?? {}).map((name) => [name, null])) }, [label]);
    }
    setGiven((before) => new Map([...before, ...[...chosen].map((id): [string, string] => [id, label])]));
    setChosen(new Set());
  };
  const toggle = (id: string, range: boolean) => {
    const order = items.map((item) => item.id);
    if (range && anchor) {
      const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((one, other) => one - other) as [number, number];
      setChosen(new Set([...chosen, ...order.slice(from, to + 1)]));
      return;
    }
    setAnchor(id);
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const latest = useRef({ give, labels, items });
  useEffect(() => {
    latest.current = { give, labels, items };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.isComposing || (event.target instanceof HTMLElement && event.target.closest('input, select, textarea'))) return;
      const { give, labels, items } = latest.current;
      const place = DIGITS.findIndex((digit) => matches(event, digit));
      const label = place >= 0 ? labels.items[place] : undefined;
      if (label) {
        event.preventDefault();
        give(label.name);
      } else if (matches(event, 'Ctrl+A')) {
        event.preventDefault();
        setChosen(new Set(items.map((item) => item.id)));
      } else if (event.key === 'Escape') setChosen(new Set());
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  const one = new URLSearchParams(params);
  one.delete('mode');
  return (
    <div className="sg-annotation">
      <header className="sg-annotation-top">
        <Link to={`/datasets/${encodeURIComponent(dataset.name)}/samples`} className="sg-annotation-back">
          ‹ {dataset.name}
        </Link>
        <h1>{t('annotation.gridTitle')}</h1>
        <span className="sg-secondary sg-figures">{t('annotation.chosen', { count: chosen.size, total: count(pages.data?.pages[0]?.total) })}</span>
        <Saving />
        <span className="sg-grow" />
        <Link to={`/datasets/${encodeURIComponent(dataset.name)}/annotate?${one}`} className="sg-annotation-mode">
          {t('annotation.one')}
        </Link>
      </header>
      <div className="sg-grid-labels" role="group" aria-label={t('annotation.labels')}>
        {labels.items.map(({ name }, place) => (
          <button key={name} type="button" className="sg-label-key" disabled={chosen.size === 0} onClick={() => give(name)}>
            <kbd>{place < DIGITS.length ? place + 1 : ' '}</kbd>
            <span className="sg-swatch" style={{ background: labels.look(name).colour }} aria-hidden="true" />
            {name}
          </button>
        ))}
        {chosen.size > 0 && (
          <Plain size="small" onClick={() => setChosen(new Set())}>
            {t('annotation.clearSelection')}
          </Plain>
        )}
      </div>
      {pages.isError && <ProblemBox error={pages.error} retry={() => void pages.refetch()} />}
      {pages.data && items.length === 0 && <Alert theme="info" title={t('annotation.nothingMatches')} />}
      <div ref={box} className="sg-grid-box" tabIndex={0} role="group" aria-label={t('annotation.gridTitle')}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {seen.map((row) => (
            <div key={row.key} className="sg-grid-row" style={{ transform: `translateY(${row.start}px)`, height: HEIGHT, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
              {items.slice(row.index * columns, (row.index + 1) * columns).map((item) => {
                const label = given.get(item.id) ?? (item.annotation?.kind === 'classes' ? item.annotation.labels?.join(', ') : undefined);
                const doubt = !given.has(item.id) && item.doubt !== null ? ` ${score(1 - item.doubt)}` : '';
                const sure = given.has(item.id) || item.state === 'labelled';
                return (
                  <button key={item.id} type="button" className="sg-thumb" aria-pressed={chosen.has(item.id)} onClick={(event) => toggle(item.id, event.shiftKey)} title={item.path}>
                    <img src={picture.sample(dataset.name, item.id, 240)} alt={item.path} loading="lazy" />
                    <span className="sg-ellipsis" data-sure={sure || undefined}>
                      {label ? `${label}${doubt}` : t('status.sample.unlabelled')}
                    </span>
                  </button>
                );
              })}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
