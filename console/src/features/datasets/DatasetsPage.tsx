import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { count, percent, size } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Bar, Card, Empty, Input, Plain, Primary, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Menu } from '../../shared/ui/Menu';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { StatusTag } from '../../shared/ui/Status';
import { When } from '../../shared/ui/Time';
import { useAddress } from '../../shared/ui/useAddress';
import { DeleteDataset } from './DeleteDataset';
import { datasetListQuery, path, type Dataset } from './queries';

const LIMIT = 20;
const STATES = ['ready', 'importing', 'waiting', 'empty', 'failed'] as const;
const SORTS = ['name', 'pictures', 'labelled', 'size', 'updated'] as const;
type Sort = (typeof SORTS)[number];

/** All datasets, live while imports run. */
export default function DatasetsPage() {
  const { t } = useText();
  const go = useNavigate();
  const scenarios = useScenarioNames();
  const [q, setQ] = useAddress('q');
  const [scenario, setScenario] = useAddress('scenario');
  const [state, setState] = useAddress('state');
  const [sort, setSort] = useAddress('sort', '-updated');
  const [offset, setOffset] = useAddress('offset', '0');
  const [removing, setRemoving] = useState<string | null>(null);
  const key = sort.replace('-', '') as Sort;
  const query = useQuery(
    datasetListQuery({
      q: q || undefined,
      scenario: scenario || undefined,
      state: (state || undefined) as Dataset['state'] | undefined,
      sort: SORTS.includes(key) ? key : 'updated',
      descending: sort.startsWith('-'),
      limit: LIMIT,
      offset: Number(offset),
    }),
  );
  const narrowed = Boolean(q || scenario || state);
  const clear = () => void go('/datasets', { replace: true });
  const change = (set: (value: string) => void) => (event: { target: { value: string } }) => {
    set(event.target.value);
  };
  const head = (name: Sort, number = false) => (
    <th className={number ? 'sg-num' : undefined} aria-sort={key === name ? (sort.startsWith('-') ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className="sg-sort" onClick={() => setSort(sort === `-${name}` ? name : `-${name}`)}>
        {t(`datasets.columns.${name}`)}
        {key === name && <span aria-hidden="true">{sort.startsWith('-') ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
  return (
    <Page
      title={t('datasets.title')}
      actions={<Primary onClick={() => void go('/datasets/new')}>{t('datasets.new')}</Primary>}
    >
      <Card>
        <div className="sg-row" style={{ marginBottom: 16 }}>
          <Input type="search" value={q} placeholder={t('datasets.search')} aria-label={t('datasets.search')} onChange={change(setQ)} />
          <Select aria-label={t('datasets.columns.scenario')} value={scenario} onChange={change(setScenario)}>
            <option value="">{t('datasets.anyScenario')}</option>
            {scenarios.items.map((item) => (
              <option key={item.id} value={item.id}>
                {item.name}
              </option>
            ))}
          </Select>
          <Select aria-label={t('datasets.columns.state')} value={state} onChange={change(setState)}>
            <option value="">{t('datasets.anyState')}</option>
            {STATES.map((item) => (
              <option key={item} value={item}>
                {t(`status.dataset.${item}`)}
              </option>
            ))}
          </Select>
        </div>
        <Loaded query={query} rows={6}>
          {(page) =>
            page.items.length === 0 ? (
              narrowed ? (
                <Empty title={t('datasets.noMatch')}>
                  <Plain onClick={clear}>{t('common.clearFilters')}</Plain>
                </Empty>
              ) : (
                <Empty title={t('datasets.none')} text={t('datasets.noneText')}>
                  <Plain onClick={() => void go('/datasets/new')}>{t('datasets.new')}</Plain>
                </Empty>
              )
            ) : (
              <>
                <div className="sg-table-box">
                  <table className="sg-table">
                    <thead>
                      <tr>
                        {head('name')}
                        <th>{t('datasets.columns.scenario')}</th>
                        {head('pictures', true)}
                        {head('labelled')}
                        <th>{t('datasets.columns.versions')}</th>
                        {head('size', true)}
                        {head('updated')}
                        <th>{t('common.actions')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {page.items.map((dataset) => (
                        <Row key={dataset.id} dataset={dataset} scenario={scenarios.name(dataset.scenario)} onDelete={() => setRemoving(dataset.name)} />
                      ))}
                    </tbody>
                  </table>
                </div>
                <Pager offset={Number(offset)} limit={LIMIT} total={page.total} onChange={(next) => setOffset(String(next))} />
              </>
            )
          }
        </Loaded>
      </Card>
      <DeleteDataset dataset={removing} onClose={() => setRemoving(null)} />
    </Page>
  );
}

function Row({ dataset, scenario, onDelete }: { dataset: Dataset; scenario: string; onDelete: () => void }) {
  const { t, language } = useText();
  const go = useNavigate();
  const share = dataset.sample_count ? dataset.labelled_count / dataset.sample_count : null;
  return (
    <tr>
      <td style={{ minWidth: 160 }}>
        <Link to={path(dataset.name)} style={{ overflowWrap: 'anywhere' }}>
          {dataset.name}
        </Link>
        {dataset.tags.length > 0 && (
          <div className="sg-row" style={{ gap: 4, marginTop: 4 }}>
            {dataset.tags.map((tag) => (
              <span key={tag} className="sg-tag">
                {tag}
              </span>
            ))}
          </div>
        )}
      </td>
      <td>{scenario}</td>
      <td className="sg-num">{count(dataset.sample_count)}</td>
      <td style={{ minWidth: 140 }}>
        {dataset.state === 'ready' && share !== null ? (
          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
            <Bar value={share} label={t('datasets.columns.labelled')} />
            <span className="sg-figures">{percent(share, language)}</span>
          </span>
        ) : dataset.import_id ? (
          <Link to={path(dataset.name, 'imports', dataset.import_id)}>
            <StatusTag about="dataset" code={dataset.state} />{' '}
            {dataset.state === 'importing' && <span className="sg-figures">{percent(dataset.import_progress, language)}</span>}
          </Link>
        ) : (
          <StatusTag about="dataset" code={dataset.state} />
        )}
      </td>
      <td className="sg-figures">
        <Versions dataset={dataset} />
      </td>
      <td className="sg-num">{size(dataset.size_bytes)}</td>
      <td>
        <When at={dataset.updated_at} relative />
      </td>
      <td>
        <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
          <Plain size="small" onClick={() => void go(path(dataset.name, 'imports', dataset.import_id ?? 'new'))}>
            {dataset.import_id ? t('datasets.goOn') : t('datasets.import')}
          </Plain>
          <Menu
            label={t('datasets.more', { name: dataset.name })}
            items={[
              { text: t('datasets.open'), onSelect: () => void go(path(dataset.name)) },
              {
                text: t('datasets.annotate'),
                why: dataset.sample_count === 0 && t('datasets.annotateEmpty'),
                onSelect: () => void go(path(dataset.name, 'annotate', 'first')),
              },
              { text: t('datasets.edit'), onSelect: () => void go(path(dataset.name, 'settings')) },
              { text: t('datasets.delete'), danger: true, onSelect: onDelete },
            ]}
          />
        </span>
      </td>
    </tr>
  );
}

/** `v4 + 12`: twelve changes that no version holds yet. */
export function Versions({ dataset }: { dataset: Dataset }) {
  const { t } = useText();
  if (dataset.latest_version === null) return <span className="sg-secondary">{t('datasets.noVersion')}</span>;
  if (!dataset.changes) return <>{`v${dataset.latest_version}`}</>;
  return (
    <span title={t('datasets.changes', { count: dataset.changes, version: dataset.latest_version })}>
      {`v${dataset.latest_version} + ${count(dataset.changes)}`}
    </span>
  );
}
