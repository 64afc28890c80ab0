import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { isOver, metricsQuery } from '../../shared/api/queries';
import { clock, duration, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Bar, Card, Figure, Primary, Skeleton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { LogViewer } from '../../shared/ui/LogViewer';
import { StatusTag } from '../../shared/ui/Status';
import { TaskPage, taskPath } from '../../shared/ui/TaskHeader';
import { useNow } from '../../shared/ui/useNow';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { RunActions } from './RunActions';
import { useRunFeed } from './useRunFeed';

const Chart = lazy(() => import('../../shared/charts/Chart'));
type Run = Schemas['RunOut'];

export default function TrainingPage() {
  const query = useTaskVersion();
  return <Loaded query={query}>{(version) => <Training version={version} />}</Loaded>;
}

function Training({ version }: { version: Schemas['TaskVersionOut'] }) {
  const { t } = useText();
  const go = useNavigate();
  const run = version.training_run;
  const live = run !== null && !isOver(run.status);
  useRunFeed(live ? run.id : null, version.task, version.number);
  const evaluation = version.evaluation_run;
  return (
    <TaskPage
      version={version}
      stage="training"
      title={version.task}
      actions={
        run && (
          <>
            <RunActions version={version} run={run} />
            {version.model_id && !live && (
              <Primary onClick={() => void go(taskPath(version.task, version.number, 'evaluations'))}>{t('training.seeEvaluation')}</Primary>
            )}
          </>
        )
      }
    >
      {run && (
        <div className="sg-stack">
          {run.error && (
            <Alert theme="danger" title={run.error.message}>
              {run.error.action}
            </Alert>
          )}
          {run.status === 'queued' && (
            <Alert theme="info" title={t('training.queued', { count: run.ahead ?? 0 })}>
              {t('training.queuedText')}
            </Alert>
          )}
          {evaluation && !isOver(evaluation.status) && (
            <Alert
              theme="info"
              title={t('training.evaluating')}
              extra={<Link to={taskPath(version.task, version.number, 'evaluations')}>{t('training.seeEvaluation')}</Link>}
            />
          )}
          <Figures run={run} live={live} />
          <div className="sg-side" style={{ gridTemplateColumns: '280px minmax(0, 1fr)' }}>
            <Stages run={run} />
            <Curves run={run} live={live} />
          </div>
          <LogViewer run={run.id} live={live} />
        </div>
      )}
    </TaskPage>
  );
}

function Figures({ run, live }: { run: Run; live: boolean }) {
  const { t, language } = useText();
  const now = useNow(live);
  // Between two looks at the server the clock of this page goes on by itself.
  const seen = useSeenAt(run, now);
  const since = live && run.status === 'running' ? Math.max(0, (now - seen) / 1000) : 0;
  const used = run.used_seconds + since;
  const left = run.left_seconds === null ? null : Math.max(0, run.left_seconds - since);
  const expected = run.expected_seconds === null ? null : Math.max(0, run.expected_seconds - since);
  return (
    <Card>
      <div className="sg-stack">
        <div className="sg-strip">
          <Figure label={t('training.elapsed')} value={clock(used)} />
          <Figure label={t('training.maximum')} value={run.max_seconds === null ? t('form.noLimit') : clock(run.max_seconds)} note={left === null ? undefined : t('training.timeLeft', { time: duration(left, language) })} />
          {live && <Figure label={t('training.expected')} value={expected === null ? '-' : `~${duration(expected, language)}`} />}
          <Figure
            label={t('training.best')}
            value={percent(run.best_score, language)}
            note={run.best_at === null ? undefined : t('training.bestAt', { time: clock(run.best_at) })}
          />
          {run.reason && <Figure label={t('training.ended')} value={<span style={{ fontSize: 16 }}>{t(`reason.${run.reason}`)}</span>} />}
        </div>
        <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
          <span className="sg-grow">
            <Bar value={run.progress} label={t('task.progress')} />
          </span>
          <span className="sg-num">{percent(run.progress, language)}</span>
        </div>
      </div>
    </Card>
  );
}

/** When this state of the run reached the page, in milliseconds. */
const seenAt = new WeakMap<Run, number>();
function useSeenAt(run: Run, now: number): number {
  if (!seenAt.has(run)) seenAt.set(run, now);
  return seenAt.get(run) ?? now;
}

function Stages({ run }: { run: Run }) {
  const { t, language } = useText();
  return (
    <Card title={t('training.stages')}>
      <ol style={{ listStyle: 'none', margin: 0, padding: 0 }} className="sg-stack-s">
        {run.stages.map((stage, index) => {
          const present = index === run.stages.length - 1 && !isOver(run.status);
          return (
            <li key={`${stage.name}-${stage.started}`} className="sg-spread" aria-current={present ? 'step' : undefined}>
              <span className="sg-row">
                {present ? <span className="sg-spin">◌</span> : '✓'} {t([`stage.${stage.name}`, 'stage.other'], { name: stage.name })}
              </span>
              <span className="sg-secondary sg-figures">{duration(stage.seconds, language)}</span>
            </li>
          );
        })}
        {run.stages.length === 0 && <li className="sg-secondary">{t('training.noStage')}</li>}
      </ol>
    </Card>
  );
}

function Curves({ run, live }: { run: Run; live: boolean }) {
  const { t, language } = useText();
  const metrics = useQuery(metricsQuery(run.id, live));
  return (
    <div className="sg-stack">
      <Card title={t('training.curve')}>
        <Loaded query={metrics}>
          {(data) => {
            const curves = Object.entries(data.curves).filter(([name]) => name.startsWith('score/'));
            if (curves.length === 0) return <p className="sg-secondary">{t('training.noCurve')}</p>;
            const all = curves.flatMap(([name, points]) => points.map((point) => [name.slice(6), point.used, point.value] as [string, number, number]));
            return (
              <Suspense fallback={<Skeleton />}>
                <Chart
                  summary={t('training.curveSummary', { best: percent(run.best_score, language) })}
                  table={{ head: [t('training.candidate'), t('training.seconds'), t('training.score')], rows: all }}
                  option={{
                    tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => percent(Number(value), language) },
                    legend: { bottom: 0, type: 'scroll' },
                    grid: { left: 56, right: 16, top: 16, bottom: 56 },
                    xAxis: { type: 'value', name: t('training.minutes'), nameLocation: 'middle', nameGap: 24 },
                    yAxis: { type: 'value', scale: true, axisLabel: { formatter: (value: number) => `${Math.round(value * 100)}%` } },
                    series: curves.map(([name, points]) => ({
                      name: name.slice(6),
                      type: 'line',
                      data: points.map((point) => [Number((point.used / 60).toFixed(2)), point.value]),
                    })),
                  }}
                />
              </Suspense>
            );
          }}
        </Loaded>
      </Card>
      <Card title={t('training.candidates')}>
        <Loaded query={metrics}>
          {(data) => (
            <div className="sg-table-box">
              <table className="sg-table sg-tight">
                <thead>
                  <tr>
                    <th>{t('training.candidate')}</th>
                    <th>{t('tasks.status')}</th>
                    <th className="sg-num">{t('training.score')}</th>
                    <th className="sg-num">{t('training.time')}</th>
                  </tr>
                </thead>
                <tbody>
                  {(data.candidates as { name: string; status: string; score: number | null; seconds: number; error: string | null }[]).map((item) => (
                    <tr key={item.name}>
                      <td>{item.name}</td>
                      <td>
                        <StatusTag about="candidate" code={item.status} title={item.error ?? undefined} />
                      </td>
                      <td className="sg-num">{percent(item.score, language)}</td>
                      <td className="sg-num">{duration(item.seconds, language)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {data.candidates.length === 0 && <p className="sg-secondary">{t('training.noCandidate')}</p>}
            </div>
          )}
        </Loaded>
      </Card>
    </div>
  );
}
