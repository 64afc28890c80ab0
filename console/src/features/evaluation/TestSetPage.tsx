import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useParams } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { evaluationQuery, picture, testSamplesQuery } from '../../shared/api/queries';
import { PictureView } from '../../shared/canvas/PictureView';
import { count, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Card, Check, LinkButton, Plain } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { taskPath } from '../../shared/ui/TaskHeader';
import { useFilters } from '../../shared/ui/useFilters';

const LIMIT = 60;
type Case = Schemas['CaseView'];

/** The test set as it was measured, as a grid or one picture; never to be changed here. */
export default function TestSetPage() {
  const { t } = useText();
  const { task = '', version = '1', evaluation = '' } = useParams();
  const [filters, change] = useFilters({ offset: '0', sample: '' });
  const offset = Number(filters.offset);
  const info = useQuery(evaluationQuery(evaluation));
  const samples = useQuery(testSamplesQuery(evaluation, offset, LIMIT));
  const base = taskPath(task, Number(version));
  const open = (sample: string) => change({ sample, offset: filters.offset });
  return (
    <Page
      title={t('testSet.title')}
      tab={`${task} v${version} · ${t('testSet.title')}`}
      crumbs={[
        { text: t('shell.pages.tasks'), to: '/tasks' },
        { text: task, to: base },
        { text: `v${version}` },
        { text: t('task.steps.evaluations'), to: `${base}/evaluations/${evaluation}` },
        { text: t('testSet.title') },
      ]}
      tag={info.data && <span className="sg-secondary">{`${info.data.test.join(t('common.listJoin')) || t('evaluation.heldOut')} · ${t('testSet.count', { count: info.data.sample_count })}`}</span>}
      actions={
        filters.sample !== '' && (
          <Plain onClick={() => open('')}>{t('testSet.grid')}</Plain>
        )
      }
    >
      {filters.sample !== '' ? (
        <Single evaluation={evaluation} position={Number(filters.sample)} total={info.data?.sample_count} scenario={info.data?.scenario} onMove={(to) => open(String(to))} onClose={() => open('')} />
      ) : (
        <Loaded query={samples} rows={8}>
          {(page) => (
            <Card>
              <p className="sg-secondary sg-small" style={{ marginBottom: 12 }}>
                {t('testSet.keys')}
              </p>
              <Grid items={page.items as Case[]} evaluation={evaluation} onOpen={open} />
              <Pager offset={offset} limit={LIMIT} total={page.total} onChange={(next) => change({ offset: String(next) })} />
            </Card>
          )}
        </Loaded>
      )}
    </Page>
  );
}

/** Thumbnails; arrows move between them, Enter opens. */
function Grid({ items, evaluation, onOpen }: { items: readonly Case[]; evaluation: string; onOpen: (sample: string) => void }) {
  const { t } = useText();
  const box = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const columns = all.filter((item) => item.offsetTop === all[0]?.offsetTop).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
  };
  return (
    <div ref={box} className="sg-grid" onKeyDown={onKeyDown}>
      {items.map((item) => {
        const wrong = item.matches.filter((match) => !match.right).length;
        return (
          <button key={item.position} type="button" className="sg-thumb" onClick={() => onOpen(String(item.position))}>
            <img src={picture.test(evaluation, item.position, 240)} alt="" loading="lazy" />
            <span className="sg-spread" style={{ flexWrap: 'nowrap', gap: 8 }}>
              <span className="sg-ellipsis" title={item.path}>
                {item.path}
              </span>
              {wrong > 0 && (
                <span className="sg-tag sg-tag-small" data-theme="danger" aria-label={t('testSet.wrong', { count: wrong })}>
                  {count(wrong)}
                </span>
              )}
            </span>
          </button>
        );
      })}
    </div>
  );
}

type SingleProps = { evaluation: string; position: number; total: number | undefined; scenario: string | undefined; onMove: (position: number) => void; onClose: () => void };

function Single({ evaluation, position, total, scenario, onMove, onClose }: SingleProps) {
  const { t } = useText();
  const query = useQuery({
    queryKey: ['test-sample', evaluation, position],
    queryFn: () => unwrap(api.GET('/v1/evaluations/{evaluation}/samples/{position}', { params: { path: { evaluation, position } } })),
    staleTime: Infinity,
    placeholderData: (before) => before,
  });
  const last = (total ?? 1) - 1;
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.defaultPrevented) return;
      if (event.key === 'ArrowRight' && position < last) onMove(position + 1);
      if (event.key === 'ArrowLeft' && position > 0) onMove(position - 1);
      if (event.key === 'Escape') onClose();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  return (
    <Loaded query={query} rows={8}>
      {(item) =>
        scenario && (
          <One
            item={item as Case}
            evaluation={evaluation}
            scenario={scenario}
            moves={
              <>
                <Plain size="small" disabled={position === 0} onClick={() => onMove(position - 1)}>
                  {t('common.previous')}
                </Plain>
                <span className="sg-secondary sg-figures">{`${count(position + 1)} / ${count(total)}`}</span>
                <Plain size="small" disabled={position >= last} onClick={() => onMove(position + 1)}>
                  {t('common.next')}
                </Plain>
              </>
            }
          />
        )
      }
    </Loaded>
  );
}

function One({ item, evaluation, scenario, moves }: { item: Case; evaluation: string; scenario: string; moves: React.ReactNode }) {
  const { t } = useText();
  const parts = useScenarioParts(scenario);
  const [layers, setLayers] = useState({ truth: true, prediction: false, names: true });
  const [selected, setSelected] = useState<string | null>(null);
  const toggle = (layer: keyof typeof layers) => setLayers({ ...layers, [layer]: !layers[layer] });
  const drawn = [
    ...(layers.truth && item.truth ? (parts.annotationShapes?.(item.truth) ?? []) : []),
    ...(layers.prediction ? (parts.predictionShapes?.(item.prediction) ?? []).map((shape) => ({ ...shape, id: `p${shape.id}` })) : []),
  ];
  const shapes = layers.names ? drawn : drawn.map((shape) => ({ ...shape, name: undefined }));
  const wrong = item.matches.filter((match) => !match.right).length;
  return (
    <div className="sg-two">
      <Card title={<span className="sg-cell-name">{item.path}</span>} extra={moves}>
        <div className="sg-stack-s">
          <div className="sg-choices">
            {(['truth', 'prediction', 'names'] as const).map((layer) => (
              <Check key={layer} label={t(`testSet.${layer}`)} checked={layers[layer]} onChange={() => toggle(layer)} />
            ))}
            <span className="sg-secondary sg-figures">{`${item.width} × ${item.height}`}</span>
          </div>
          <PictureView
            key={item.position}
            src={picture.test(evaluation, item.position)}
            width={item.width}
            height={item.height}
            shapes={shapes}
            selected={selected}
            onSelect={setSelected}
            label={item.path}
            tall={560}
          />
        </div>
      </Card>
      <Card
        title={wrong === 0 ? t('testSet.right') : t('testSet.wrong', { count: wrong })}
        extra={
          item.origin && (
            <LinkButton small to={`/datasets/${encodeURIComponent(item.origin.dataset)}/annotate/${encodeURIComponent(item.origin.sample)}`} target="_blank">
              {t('testSet.edit')}
            </LinkButton>
          )
        }
      >
        {parts.CasePanel && <parts.CasePanel truth={item.truth ?? null} prediction={item.prediction} threshold={0} />}
        <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('evaluation.truth')}>
          <table className="sg-table sg-tight">
            <thead>
              <tr>
                <th scope="col">{t('evaluation.label')}</th>
                <th scope="col">{t('evaluation.truth')}</th>
                <th scope="col">{t('evaluation.predicted')}</th>
                <th scope="col" className="sg-num">
                  {t('badcase.score')}
                </th>
              </tr>
            </thead>
            <tbody>
              {item.matches.map((match, index) => (
                <tr key={index}>
                  <td className="sg-cell-name">{match.truth ?? match.predicted}</td>
                  <td className="sg-cell-name">{match.truth_text ?? match.truth ?? t(parts.nothing ?? 'evaluation.nothing')}</td>
                  <td className="sg-cell-name">
                    <span className={match.right ? undefined : 'sg-error'}>
                      {match.right ? '✓ ' : '✗ '}
                      {match.predicted_text ?? match.predicted ?? t(parts.nothing ?? 'evaluation.nothing')}
                    </span>
                  </td>
                  <td className="sg-num">{match.predicted === null ? '-' : score(match.score)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </div>
  );
}
