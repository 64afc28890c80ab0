import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api, unwrap } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Alert, Plain, Primary, say } from '../../shared/ui/kit';
import { Loaded, useErrorText } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ExportDialog } from './ExportDialog';
import { ImportsTab } from './ImportsTab';
import { LabelsTab } from './LabelsTab';
import { liveDatasetQuery, path, refresh, type Dataset } from './queries';
import { SamplesTab } from './SamplesTab';
import { SettingsTab } from './SettingsTab';
import { VersionsTab } from './VersionsTab';

const TABS = ['samples', 'labels', 'versions', 'imports', 'settings'] as const;
type Tab = (typeof TABS)[number];

/** One dataset: its draft, labels, versions, imports and settings. */
export default function DatasetPage() {
  const { dataset = '', tab = 'samples' } = useParams();
  const query = useQuery(liveDatasetQuery(dataset));
  return <Loaded query={query}>{(data) => <Content dataset={data} tab={TABS.includes(tab as Tab) ? (tab as Tab) : 'samples'} />}</Loaded>;
}

function Content({ dataset, tab }: { dataset: Dataset; tab: Tab }) {
  const { t } = useText();
  const go = useNavigate();
  const scenarios = useScenarioNames();
  const [exporting, setExporting] = useState(false);
  const publish = usePublish(dataset);
  const next = (dataset.latest_version ?? 0) + 1;
  return (
    <Page
      title={dataset.name}
      crumbs={[{ text: t('datasets.title'), to: '/datasets' }, { text: dataset.name }]}
      tag={
        <>
          <span className="sg-tag">{scenarios.name(dataset.scenario)}</span>
          <span className="sg-secondary">
            {dataset.latest_version === null
              ? t('dataset.noVersion')
              : dataset.changes
                ? t('dataset.draft', { count: dataset.changes, version: dataset.latest_version })
                : t('dataset.same', { version: dataset.latest_version })}
          </span>
        </>
      }
      actions={
        <>
          <Plain onClick={() => void go(path(dataset.name, 'imports', dataset.import_id ?? 'new'))}>{t('dataset.import')}</Plain>
          <Plain why={dataset.sample_count === 0 && t('datasets.annotateEmpty')} onClick={() => void go(path(dataset.name, 'annotate', 'first'))}>
            {t('datasets.annotate')}
          </Plain>
          <Plain why={dataset.sample_count === 0 && t('dataset.exportEmpty')} onClick={() => setExporting(true)}>
            {t('dataset.export')}
          </Plain>
          <Primary
            loading={publish.isPending}
            why={dataset.sample_count === 0 ? t('dataset.publishEmpty') : !dataset.changed && t('dataset.publishNothing')}
            onClick={() => publish.mutate()}
          >
            {dataset.changed ? t('dataset.publish', { version: next }) : t('dataset.published')}
          </Primary>
        </>
      }
    >
      {dataset.import_id && (
        <div style={{ marginBottom: 16 }}>
          <Alert theme="info" title={t(dataset.state === 'waiting' ? 'dataset.importWaits' : 'dataset.importRuns')} extra={<Link to={path(dataset.name, 'imports', dataset.import_id)}>{t('dataset.openImport')}</Link>} />
        </div>
      )}
      <nav className="sg-tabs" aria-label={t('dataset.tabs')}>
        {TABS.map((item) => (
          <Link key={item} to={item === 'samples' ? path(dataset.name) : path(dataset.name, item)} aria-current={item === tab ? 'page' : undefined}>
            {item === 'labels' && dataset.scenario === 'ocr' ? t('dataset.tab.fields') : t(`dataset.tab.${item}`)}
            {item === 'samples' && <span className="sg-secondary sg-figures"> {count(dataset.sample_count)}</span>}
          </Link>
        ))}
      </nav>
      {tab === 'samples' && <SamplesTab dataset={dataset} />}
      {tab === 'labels' && <LabelsTab dataset={dataset} />}
      {tab === 'versions' && <VersionsTab dataset={dataset} />}
      {tab === 'imports' && <ImportsTab dataset={dataset} />}
      {tab === 'settings' && <SettingsTab key={dataset.id} dataset={dataset} />}
      <ExportDialog dataset={dataset} version={null} open={exporting} onClose={() => setExporting(false)} />
    </Page>
  );
}


/** Publishes the draft; says so when there was nothing new. */
function usePublish(dataset: Dataset) {
  const { t } = useText();
  const client = useQueryClient();
  const text = useErrorText();
  return useMutation({
    mutationFn: () => unwrap(api.POST('/v1/datasets/{dataset}/versions', { params: { path: { dataset: dataset.name } } })),
    onSuccess: (made) => {
      say.done(t(made.new ? 'dataset.publishDone' : 'dataset.publishSame', { version: made.number, count: made.sample_count }));
      void refresh(client, dataset.name);
    },
    onError: (error) => say.failed(text(error).title),
  });
}
