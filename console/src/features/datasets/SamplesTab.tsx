import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { labelLook } from '../../shared/theme/palette';
import { Card, Check, Chip, Empty, Input, Plain, Select } from '../../shared/ui/kit';
import { useAddress } from '../../shared/ui/useAddress';
import { BulkBar } from './BulkBar';
import { Distribution } from './Distribution';
import { labelListQuery, path, type Dataset, type Sample, type SampleFilter, type SampleSort } from './queries';
import { SampleDrawer } from './SampleDrawer';
import { SampleGrid } from './SampleGrid';
import { EVERYTHING, NOTHING, size, type Selection } from './selection';

const SIZES = [120, 160, 200, 260, 340] as const;
const SORTS: readonly SampleSort[] = ['path', 'updated', 'doubt'];
const STATES = ['unlabelled', 'pre_labelled', 'labelled'] as const;
const PARTS = ['train', 'validation', 'test', 'none'] as const;
const KEPT = 'sandglass.samples';

type View = { tile: number; marks: boolean };

function keptView(): View {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<View>;
    return { tile: SIZES.includes(kept.tile as never) ? kept.tile! : 160, marks: kept.marks ?? true };
  } catch {
    return { tile: 160, marks: true };
  }
}

/** The draft as pictures: filter, look, choose many, change them at once. */
export function SamplesTab({ dataset }: { dataset: Dataset }) {
  const { t } = useText();
  const go = useNavigate();
  const [params, setParams] = useSearchParams();
  const [sortKey, setSort] = useAddress('sort', 'path');
  const [opened, setOpened] = useAddress('sample');
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [total, setTotal] = useState<number>();
  const [view, setView] = useState(keptView);
  const parts = useScenarioParts(dataset.scenario);
  const labels = useQuery(labelListQuery(dataset.name));
  const sort = SORTS.includes(sortKey as SampleSort) ? (sortKey as SampleSort) : 'path';
  const label = params.get('label') ?? undefined;
  const state = params.get('state') ?? undefined;
  const part = params.get('part') ?? undefined;
  const q = params.get('q') ?? undefined;
  const filter: SampleFilter = useMemo(() => ({ label, state, part, q }), [label, state, part, q]);
  useEffect(() => setSelection(NOTHING), [filter, dataset.name]);
  useEffect(() => localStorage.setItem(KEPT, JSON.stringify(view)), [view]);
  const set = (name: keyof SampleFilter, value: string | undefined) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const clear = () =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const name of ['label', 'state', 'part', 'q']) next.delete(name);
        return next;
      },
      { replace: true },
    );
  const colours = useMemo(() => new Map(labels.data?.items.map((item) => [item.label, labelLook(item.colour)])), [labels.data]);
  const look = useCallback((name: string) => colours.get(name), [colours]);
  const open = useCallback((sample: Sample) => setOpened(sample.id), [setOpened]);
  const chips: [keyof SampleFilter, string][] = [];
  if (label) chips.push(['label', t('samples.chip.label', { value: label })]);
  if (state) chips.push(['state', t(`status.sample.${state}`)]);
  if (part) chips.push(['part', t(`samples.parts.${part}`)]);
  if (q) chips.push(['q', t('samples.chip.text', { value: q })]);
  if (dataset.sample_count === 0)
    return (
      <Card>
        <Empty title={t('samples.none')} text={t('samples.noneText')}>
          <Plain onClick={() => void go(path(dataset.name, 'imports', dataset.import_id ?? 'new'))}>{t('dataset.import')}</Plain>
        </Empty>
      </Card>
    );
  const chosen = size(selection, total ?? 0);
  return (
    <div className="sg-browser">
      <section className="sg-card" aria-label={t('dataset.tab.samples')}>
        <div className="sg-row" style={{ marginBottom: 12 }}>
          <Search value={q ?? ''} onChange={(value) => set('q', value)} />
          <Select aria-label={t('samples.state')} value={state ?? ''} onChange={(event) => set('state', event.target.value)}>
            <option value="">{t('samples.anyState')}</option>
            {STATES.map((item) => (
              <option key={item} value={item}>
                {`${t(`status.sample.${item}`)} ${count(dataset.states[item] ?? 0)}`}
              </option>
            ))}
          </Select>
          <Select aria-label={t('samples.part')} value={part ?? ''} onChange={(event) => set('part', event.target.value)}>
            <option value="">{t('samples.anyPart')}</option>
            {PARTS.map((item) => (
              <option key={item} value={item}>
                {`${t(`samples.parts.${item}`)} ${count(dataset.parts[item] ?? 0)}`}
              </option>
            ))}
          </Select>
          <Select aria-label={t('samples.sort')} value={sort} onChange={(event) => setSort(event.target.value)}>
            {SORTS.map((item) => (
              <option key={item} value={item}>
                {t(`samples.sorts.${item}`)}
              </option>
            ))}
          </Select>
          {parts.annotationShapes && <Check label={t('samples.marks')} checked={view.marks} onChange={() => setView({ ...view, marks: !view.marks })} />}
          <input
              type="range"
              style={{ width: 96 }}
              title={t('samples.size')}
              aria-label={t('samples.size')}
              min={0}
              max={SIZES.length - 1}
              value={SIZES.indexOf(view.tile as never)}
              aria-valuetext={t('samples.pixels', { count: view.tile })}
              onChange={(event) => setView({ ...view, tile: SIZES[Number(event.target.value)]! })}
            />
        </div>
        <div className="sg-spread" style={{ marginBottom: 12, minHeight: 32 }}>
          <span className="sg-row" aria-live="polite">
            <span className="sg-figures">{total === undefined ? '' : t('samples.matching', { count: total, shown: count(total) })}</span>
            {chips.map(([name, text]) => (
              <Chip key={name} on aria-label={t('samples.removeFilter', { filter: text })} onClick={() => set(name, undefined)}>
                {text} ×
              </Chip>
            ))}
            {chips.length > 1 && (
              <button type="button" className="sg-link" onClick={clear}>
                {t('common.clearFilters')}
              </button>
            )}
          </span>
          <span className="sg-row">
            {chosen > 0 && (
              <button type="button" className="sg-link" onClick={() => setSelection(NOTHING)}>
                {t('samples.selectNone')}
              </button>
            )}
            {(total ?? 0) > 0 && !selection.all && (
              <button type="button" className="sg-link" onClick={() => setSelection(EVERYTHING)}>
                {t('samples.selectAll', { count: count(total) })}
              </button>
            )}
          </span>
        </div>
        <SampleGrid
          key={`${dataset.name} ${JSON.stringify(filter)} ${sort}`}
          dataset={dataset}
          filter={filter}
          sort={sort}
          tile={view.tile}
          marks={view.marks && Boolean(parts.annotationShapes)}
          look={look}
          selection={selection}
          onSelection={setSelection}
          onAll={() => setSelection(EVERYTHING)}
          onTotal={setTotal}
          onOpen={open}
          empty={
            <Empty title={t('samples.noMatch')}>
              <Plain onClick={clear}>{t('common.clearFilters')}</Plain>
            </Empty>
          }
        />
        {chosen > 0 && <BulkBar dataset={dataset} filter={filter} selection={selection} chosen={chosen} labels={labels.data?.items ?? []} onDone={() => setSelection(NOTHING)} />}
      </section>
      <Distribution dataset={dataset} labels={labels.data?.items ?? []} label={label} onLabel={(value) => set('label', value)} />
      <SampleDrawer dataset={dataset} sample={opened || null} look={look} onClose={() => setOpened(null)}>
        {opened && (
          <Link to={{ pathname: path(dataset.name, 'annotate', opened), search: new URLSearchParams([...params].filter(([name]) => name !== 'sample')).toString() }}>
            {t('datasets.annotate')}
          </Link>
        )}
      </SampleDrawer>
    </div>
  );
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useText();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), 300);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return <Input type="search" style={{ flex: '1 1 140px' }} value={typed} maxLength={200} placeholder={t('samples.search')} aria-label={t('samples.search')} onChange={(event) => setTyped(event.target.value)} />;
}
