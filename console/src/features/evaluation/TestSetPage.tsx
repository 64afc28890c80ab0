import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { evaluationQuery, picture, testSamplesQuery } from '../../shared/api/queries';
import { PictureView } from '../../shared/canvas/PictureView';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Card, Check } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { taskPath } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';

const LIMIT = 24;

/** The test set as it was measured: never to be changed here. */
export default function TestSetPage() {
  const { t } = useText();
  const { task = '', version = '1', evaluation = '' } = useParams();
  const [offset, setOffset] = useAddress('offset', '0');
  const [sample, setSample] = useAddress('sample');
  const info = useQuery(evaluationQuery(evaluation));
  const samples = useQuery(testSamplesQuery(evaluation, Number(offset), LIMIT));
  const base = taskPath(task, Number(version));
  return (
    <Page
      title={t('testSet.title')}
      crumbs={[
        { text: t('shell.pages.tasks'), to: '/tasks' },
        { text: `${task} v${version}`, to: base },
        { text: t('task.steps.evaluations'), to: `${base}/evaluations/${evaluation}` },
        { text: t('testSet.title') },
      ]}
    >
      <Loaded query={samples}>
        {(page) => {
          const chosen = page.items.find((item) => String(item.position) === sample) ?? page.items[0];
          return (
            <div className="sg-side" style={{ gridTemplateColumns: '360px minmax(0, 1fr)' }}>
              <Card title={t('testSet.count', { count: page.total })}>
                <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 8 }}>
                  {page.items.map((item) => (
                    <button key={item.position} type="button" className="sg-thumb" aria-pressed={item === chosen} onClick={() => setSample(String(item.position))}>
                      <img src={picture.test(evaluation, item.position, 240)} alt="" loading="lazy" />
                      <span className="sg-ellipsis">{item.path}</span>
                    </button>
                  ))}
                </div>
                <Pager offset={Number(offset)} limit={LIMIT} total={page.total} onChange={(next) => setOffset(String(next))} />
              </Card>
              {chosen && info.data && <One item={chosen as Schemas['CaseView']} evaluation={evaluation} scenario={info.data.scenario} />}
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}

function One({ item, evaluation, scenario }: { item: Schemas['CaseView']; evaluation: string; scenario: string }) {
  const { t } = useText();
  const parts = useScenarioParts(scenario);
  const [truth, setTruth] = useState(true);
  const [answer, setAnswer] = useState(false);
  const shapes = [
    ...(truth && item.truth ? (parts.annotationShapes?.(item.truth) ?? []) : []),
    ...(answer ? (parts.predictionShapes?.(item.prediction) ?? []).map((shape) => ({ ...shape, id: `p${shape.id}` })) : []),
  ];
  const wrong = item.matches.filter((match) => !match.right);
  return (
    <Card
      title={item.path}
      extra={
        <>
          <Check label={t('testSet.truth')} checked={truth} onChange={() => setTruth(!truth)} />
          <Check label={t('testSet.prediction')} checked={answer} onChange={() => setAnswer(!answer)} />
        </>
      }
    >
      <div className="sg-stack">
        <PictureView key={item.position} src={picture.test(evaluation, item.position)} width={item.width} height={item.height} shapes={shapes} label={item.path} />
        <div className="sg-table-box">
          <table className="sg-table sg-tight">
            <thead>
              <tr>
                <th>{t('evaluation.label')}</th>
                <th>{t('evaluation.truth')}</th>
                <th>{t('evaluation.predicted')}</th>
              </tr>
            </thead>
            <tbody>
              {item.matches.map((match, index) => (
                <tr key={index}>
                  <td>{match.truth ?? match.predicted}</td>
                  <td style={{ overflowWrap: 'anywhere' }}>{match.truth_text ?? match.truth ?? t('evaluation.nothing')}</td>
                  <td style={{ overflowWrap: 'anywhere' }}>
                    {match.right ? '✓ ' : '✗ '}
                    {match.predicted_text ?? match.predicted ?? t('evaluation.nothing')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="sg-secondary">{wrong.length === 0 ? t('testSet.right') : t('testSet.wrong', { count: count(wrong.length) })}</p>
      </div>
    </Card>
  );
}
