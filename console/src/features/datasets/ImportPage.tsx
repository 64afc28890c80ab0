import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { importQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { LinkButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ImportCheck } from './ImportCheck';
import { ImportSource } from './ImportSource';
import { liveDatasetQuery, path } from './queries';

const STEPS = ['source', 'check', 'map', 'done'] as const;
type Step = (typeof STEPS)[number];

/** An import from its source to its end; an unfinished one is taken up again at its address. */
export default function ImportPage() {
  const { dataset = '', import: id = 'new' } = useParams();
  return id === 'new' ? <New dataset={dataset} /> : <Running key={id} dataset={dataset} id={id} />;
}

function New({ dataset }: { dataset: string }) {
  const query = useQuery(liveDatasetQuery(dataset));
  return (
    <Frame dataset={dataset} step="source">
      <Loaded query={query}>{(data) => <ImportSource dataset={data} />}</Loaded>
    </Frame>
  );
}

function Running({ dataset, id }: { dataset: string; id: string }) {
  const { language } = useText();
  // Findings are sentences, so another language is another answer.
  const query = useQuery({ ...importQuery(id), queryKey: ['import', id, language] });
  const status = query.data?.status;
  const step: Step = status === 'checked' ? 'map' : status === 'checking' || status === undefined ? 'check' : 'done';
  return (
    <Frame dataset={dataset} step={step}>
      <Loaded query={query}>{(job) => <ImportCheck job={job} />}</Loaded>
    </Frame>
  );
}

function Frame({ dataset, step, children }: { dataset: string; step: Step; children: React.ReactNode }) {
  const { t } = useText();
  return (
    <Page
      title={t('importing.title', { name: dataset })}
      crumbs={[{ text: t('datasets.title'), to: '/datasets' }, { text: dataset, to: path(dataset) }, { text: t('importing.crumb') }]}
      actions={<LinkButton to={path(dataset, 'imports')}>{t('importing.history')}</LinkButton>}
    >
      <nav aria-label={t('importing.steps')} style={{ marginBottom: 16 }}>
        <ol className="sg-steps">
          {STEPS.map((item) => (
            <li key={item}>
              <span aria-current={item === step ? 'step' : undefined} className={item === step ? undefined : 'sg-secondary'}>
                {t(`importing.step.${item}`)}
              </span>
            </li>
          ))}
        </ol>
      </nav>
      {children}
    </Page>
  );
}
