import './annotation.css';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Navigate, useParams, useSearchParams } from 'react-router';
import { datasetQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Empty, LinkButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Grid } from './Grid';
import { annotationQuery, filterOf, neighboursQuery } from './queries';
import { Work } from './Work';

const KINDS: Record<string, 'document' | 'classes' | 'objects'> = { ocr: 'document', classification: 'classes', detection: 'objects', tableware: 'objects' };

/** The annotation workspace: one picture after another, under the filter and in the order of the address. */
export default function AnnotatePage() {
  const { t } = useText();
  const { dataset = '', sample } = useParams();
  const [params] = useSearchParams();
  const info = useQuery(datasetQuery(dataset));
  useEffect(() => {
    document.title = `${t('annotation.title', { name: dataset })} · Sandglass`;
  }, [dataset, t]);
  return (
    <main id="main" className="sg-annotation-page">
      <p className="sg-annotation-small sg-empty">{t('annotation.small')}</p>
      <Loaded query={info}>
        {(data) => {
          const kind = KINDS[data.scenario] ?? 'objects';
          if (kind === 'classes' && params.get('mode') === 'grid') return <Grid dataset={data} />;
          return sample ? <OneSample dataset={data.name} scenario={data.scenario} kind={kind} sample={sample} /> : <First dataset={data.name} />;
        }}
      </Loaded>
    </main>
  );
}

/** Goes to the first picture under the filter. */
function First({ dataset }: { dataset: string }) {
  const { t } = useText();
  const [params] = useSearchParams();
  const query = useQuery(neighboursQuery(dataset, null, filterOf(params)));
  const back = `/datasets/${encodeURIComponent(dataset)}`;
  return (
    <Loaded query={query}>
      {(data) => {
        const first = data.after[0];
        if (first) return <Navigate replace to={`${back}/annotate/${first.id}?${params}`} />;
        return (
          <Empty title={t('annotation.nothingToDo')} text={data.samples ? t('annotation.nothingMatches') : t('annotation.noPictures')}>
            <LinkButton primary to={back}>
              {t('annotation.back', { name: dataset })}
            </LinkButton>
          </Empty>
        );
      }}
    </Loaded>
  );
}

function OneSample(props: { dataset: string; scenario: string; kind: 'document' | 'classes' | 'objects'; sample: string }) {
  const query = useQuery(annotationQuery(props.dataset, props.sample));
  return <Loaded query={query}>{(data) => <Work key={data.id} {...props} sample={data} />}</Loaded>;
}
