import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { badcasesQuery, evaluationQuery, picture } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Card, Check, Chip, Empty, Plain, Select } from '../../shared/ui/kit';
import { keep, kept } from '../../shared/ui/keep';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { taskPath } from '../../shared/ui/TaskHeader';
import { useFilters } from '../../shared/ui/useFilters';
import { CaseCard } from './CaseCard';
import { ThresholdSlider } from './ThresholdSlider';

type Case = Schemas['CaseView'];
const LIMIT = 20;
/** Stands for "any" in the address, since an empty value stands for "nothing is there". */
const ANY = '*';

export default function BadcasesPage() {
  const { t } = useText();
  const { task = '', version = '1', evaluation = '' } = useParams();
  const loaded = useQuery(evaluationQuery(evaluation));
  const base = taskPath(task, Number(version));
  return (
    <Page
      title={t('badcase.title')}
      tab={`${task} v${version} · ${t('badcase.title')}`}
      crumbs={[
        { text: t('shell.pages.tasks'), to: '/tasks' },
        { text: task, to: base },
        { text: `v${version}` },
        { text: t('task.steps.evaluations'), to: `${base}/evaluations/${evaluation}` },
        { text: t('badcase.title') },
      ]}
    >
      <Loaded query={loaded} rows={8}>
        {(data) => <List data={data} />}
      </Loaded>
    </Page>
  );
}

function List({ data }: { data: Schemas['EvaluationView'] }) {
  const { t } = useText();
  const names = useScenarioNames();
  const parts = useScenarioParts(data.scenario);
  const [filters, change, filtered] = useFilters({ t: data.results.recommended_threshold.toFixed(2), truth: ANY, predicted: ANY, cause: '', exact: '', sample: '', offset: '0' });
  const [threshold, setThreshold] = useState(Number(filters.t));
  const [pictures, setPictures] = useState(() => kept('badcase.pictures', false));
  const query = useQuery(
    badcasesQuery(data.id, {
      threshold: Number(filters.t),
      exact: filters.exact !== '',
      truth: filters.truth === ANY ? undefined : filters.truth,
      predicted: filters.predicted === ANY ? undefined : filters.predicted,
      cause: filters.cause || undefined,
      limit: LIMIT,
      offset: Number(filters.offset),
    }),
  );
  const items = query.data?.items ?? [];
  const found = items.findIndex((item) => String(item.position) === filters.sample);
  const present = Math.max(0, found);
  const chosen = items[present];
  const show = (index: number) => items[index] && change({ sample: String(items[index].position), offset: filters.offset });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 'j') show(present + 1);
      if (key === 'k') show(present - 1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  // The next pictures are fetched while this one is looked at.
  useEffect(() => {
    if (!pictures) return;
    for (const item of items.slice(present + 1, present + 3)) new Image().src = picture.test(data.id, item.position);
  }, [pictures, present, items, data.id]);
  const labels = data.results.labels.map((item) => item.label);
  const filter = (name: 'truth' | 'predicted', label: string) => (
    <label className="sg-row">
      {label}
      <Select value={filters[name]} onChange={(event) => change({ [name]: event.target.value, sample: '' })}>
        <option value={ANY}>{t('badcase.any')}</option>
        <option value="">{t(parts.nothing ?? 'evaluation.nothing')}</option>
        {labels.map((item) => (
          <option key={item} value={item}>
            {item}
          </option>
        ))}
      </Select>
    </label>
  );
  const restricted = filtered && (filters.truth !== ANY || filters.predicted !== ANY || filters.cause !== '');
  return (
    <div className="sg-stack">
      <Card>
        <div className="sg-stack">
          <ThresholdSlider value={threshold} best={data.results.recommended_threshold} onChange={setThreshold} onRelease={(value) => value !== filters.t && change({ t: value, sample: '' })} />
          <div className="sg-row">
            {filter('truth', t('evaluation.truth'))}
            {filter('predicted', t('evaluation.predicted'))}
            {restricted && (
              <Plain size="small" onClick={() => change({ truth: ANY, predicted: ANY, cause: '', sample: '' })}>
                {t('common.clearFilters')}
              </Plain>
            )}
            <span className="sg-grow" />
            <Check
              label={t('badcase.pictures')}
              checked={pictures}
              onChange={() => {
                keep('badcase.pictures', !pictures);
                setPictures(!pictures);
              }}
            />
          </div>
          {!pictures && <p className="sg-secondary sg-small">{t('badcase.picturesWhy')}</p>}
          <div className="sg-row" role="group" aria-label={t('badcase.cause')}>
            {Object.entries(query.data?.causes ?? {}).map(([code, number]) => (
              <Chip key={code} on={filters.cause === code} onClick={() => change({ cause: filters.cause === code ? '' : code, sample: '' })}>
                {names.cause(data.scenario, code)} <span className="sg-figures">{count(number)}</span>
              </Chip>
            ))}
          </div>
        </div>
      </Card>
      <Loaded query={query} rows={6}>
        {(page) =>
          page.items.length === 0 ? (
            <Card>
              <Empty title={t('badcase.none')} text={restricted ? t('badcase.noneText') : t('badcase.allRight')} />
            </Card>
          ) : (
            <div className="sg-cases">
              <Card title={t('badcase.count', { count: page.total })}>
                <p className="sg-secondary sg-small" style={{ marginBottom: 8 }}>
                  {t('badcase.keys')}
                </p>
                <div className="sg-case-list">
                  {page.items.map((item, index) => (
                    <button key={item.position} type="button" className="sg-thumb" aria-pressed={chosen === item} onClick={() => show(index)}>
                      {pictures && <img src={picture.test(data.id, item.position, 240)} alt="" loading="lazy" />}
                      <span className="sg-spread" style={{ flexWrap: 'nowrap', gap: 8 }}>
                        <span className="sg-ellipsis" title={item.path}>
                          {item.path}
                        </span>
                        <span className="sg-secondary sg-figures">{count(item.matches.length)}</span>
                      </span>
                    </button>
                  ))}
                </div>
                <Pager offset={Number(filters.offset)} limit={LIMIT} total={page.total} onChange={(next) => change({ offset: String(next), sample: '' })} />
              </Card>
              {chosen && <CaseCard key={chosen.position} item={chosen as Case} data={data} pictures={pictures} threshold={threshold} />}
            </div>
          )
        }
      </Loaded>
    </div>
  );
}
