import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import { picture } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { LookOf } from '../../shared/scenario/contract';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Skeleton } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { Overlay } from './Overlay';
import { type Dataset, type Sample, type SampleFilter, type SampleSort } from './queries';
import { change, has, NOTHING, range, step, type Selection } from './selection';
import { useSamples } from './useSamples';

const GAP = 12;
const CAPTION = 52;

type Props = {
  dataset: Dataset;
  filter: SampleFilter;
  sort: SampleSort;
  tile: number;
  marks: boolean;
  look: LookOf;
  selection: Selection;
  onSelection: (selection: Selection) => void;
  onAll: () => void;
  onTotal: (total: number | undefined) => void;
  onOpen: (sample: Sample) => void;
  empty: React.ReactNode;
};

/** Samples as pictures, a hundred thousand of them as smooth as ten: only what is seen exists. */
export function SampleGrid(props: Props) {
  const { t } = useText();
  const { dataset, selection, tile } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [active, setActive] = useState(0);
  const anchor = useRef(0);
  useEffect(() => {
    const element = frame.current!;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const columns = Math.max(1, Math.floor((width + GAP) / (tile + GAP)));
  const height = Math.round(tile * 0.75) + CAPTION + GAP;
  const [known, setKnown] = useState<number>();
  const rows = Math.ceil((known ?? 0) / columns);
  // eslint-disable-next-line react-hooks/incompatible-library
  const grid = useVirtualizer({ count: rows, getScrollElement: () => frame.current, estimateSize: () => height, overscan: 2 });
  useEffect(() => grid.measure(), [height, columns, grid]);
  const seen = grid.getVirtualItems();
  const first = (seen[0]?.index ?? 0) * columns;
  const last = ((seen.at(-1)?.index ?? 0) + 1) * columns - 1;
  const { at, total, failed, fetchAll, retry } = useSamples(dataset, props.filter, props.sort, props.marks, first, last);
  const { onTotal } = props;
  useEffect(() => {
    if (total === undefined) return;
    setKnown(total);
    onTotal(total);
  }, [total, onTotal]);

  const select = async (place: number, sample: Sample, extend: boolean) => {
    if (extend) {
      const some = await fetchAll(range(anchor.current, place));
      props.onSelection(change(selection, some.map((item) => item.id), true));
      return;
    }
    anchor.current = place;
    props.onSelection(change(selection, [sample.id], !has(selection, sample.id)));
  };
  const onClick = (place: number, sample: Sample) => (event: MouseEvent) => {
    setActive(place);
    if (event.shiftKey || event.ctrlKey || event.metaKey) void select(place, sample, event.shiftKey);
    else props.onOpen(sample);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const sample = at(active);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') props.onAll();
    else if (event.key === 'Escape') props.onSelection(NOTHING);
    else if (event.key === ' ' && sample) void select(active, sample, event.shiftKey);
    else {
      const to = step(event.key, active, columns, Math.max(1, seen.length - 4), known ?? 0);
      if (to === null) return;
      setActive(to);
      grid.scrollToIndex(Math.floor(to / columns));
      // The tile may not exist before the next frame.
      requestAnimationFrame(() => requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-place="${to}"]`)?.focus()));
    }
    event.preventDefault();
  };

  return (
    <>
      {failed && <ProblemBox error={failed.error} retry={retry} />}
      <div ref={frame} className="sg-samples" onKeyDown={known ? onKeyDown : undefined}>
        {known === undefined && !failed && <Skeleton rows={8} />}
        {known === 0 && props.empty}
        <div
          style={{ height: grid.getTotalSize(), position: 'relative' }}
          {...(known && { role: 'grid', 'aria-label': t('samples.grid', { count: count(known) }), 'aria-rowcount': rows, 'aria-colcount': columns, 'aria-multiselectable': true })}
        >
          {seen.map((row) => (
            <div key={row.key} role="row" aria-rowindex={row.index + 1} className="sg-samples-row" style={{ height, transform: `translateY(${row.start}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
              {Array.from({ length: Math.min(columns, Math.max(0, (known ?? 0) - row.index * columns)) }, (_, column) => {
                const place = row.index * columns + column;
                const sample = at(place);
                const chosen = sample ? has(selection, sample.id) : selection.all;
                return (
                  <div key={place} role="gridcell" aria-colindex={column + 1} aria-selected={chosen} className="sg-tile" data-chosen={chosen}>
                    {sample ? (
                      <>
                        <button type="button" data-place={place} tabIndex={place === active || (column === 0 && row.index === first / columns && (active < first || active > last)) ? 0 : -1} onFocus={() => setActive(place)} onClick={onClick(place, sample)}>
                          <Thumb dataset={dataset.name} scenario={dataset.scenario} sample={sample} marks={props.marks} look={props.look} height={Math.round(tile * 0.75)} size={tile > 200 ? 480 : 240} />
                          <Caption sample={sample} />
                        </button>
                        <input type="checkbox" tabIndex={-1} checked={chosen} aria-label={t('samples.select', { path: sample.path })} onChange={() => undefined} onClick={(event) => void select(place, sample, event.shiftKey)} />
                      </>
                    ) : (
                      <div className="sg-skeleton" style={{ height: Math.round(tile * 0.75) }} />
                    )}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

type ThumbProps = { dataset: string; scenario: string; sample: Sample; marks: boolean; look: LookOf; height: number; size: number };

const Thumb = memo(function Thumb({ dataset, scenario, sample, marks, look, height, size }: ThumbProps) {
  const parts = useScenarioParts(scenario);
  const shapes = marks && sample.annotation ? (parts.annotationShapes?.(sample.annotation, look) ?? []) : [];
  return (
    <span className="sg-tile-picture" style={{ height }}>
      <img src={picture.sample(dataset, sample.id, size)} alt="" loading="lazy" decoding="async" />
      {shapes.length > 0 && <Overlay width={sample.width} height={sample.height} shapes={shapes} />}
    </span>
  );
});

function Caption({ sample }: { sample: Sample }) {
  const { t } = useText();
  const labels = Object.keys(sample.labels);
  return (
    <span className="sg-tile-caption">
      <span className="sg-ellipsis" title={sample.path}>
        {sample.path}
      </span>
      <span className="sg-row sg-tile-facts">
        {sample.state === 'labelled' ? (
          <span className="sg-ellipsis sg-secondary sg-grow" title={labels.join(', ')}>
            {labels.length ? labels.join(', ') : t('samples.nothingOnIt')}
          </span>
        ) : (
          <StatusTag about="sample" code={sample.state} />
        )}
        {sample.part && <span className="sg-tag">{t(`samples.parts.${sample.part}`)}</span>}
      </span>
    </span>
  );
}
