import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { duration, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Bar, Card, Danger, Dialog, Plain } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { LogViewer } from '../../shared/ui/LogViewer';
import { StatusTag } from '../../shared/ui/Status';

/** An evaluation at work: how far it is, its log, and a way to stop it. */
export function RunningEvaluation({ run }: { run: Schemas['EvaluationItemOut'] }) {
  const { t, language } = useText();
  const client = useQueryClient();
  const [log, setLog] = useState(false);
  const [asking, setAsking] = useState(false);
  const stop = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/runs/{run}/stop', { params: { path: { run: run.id } } })),
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ['evaluations', run.task] });
    },
  });
  const stage = run.stage ? t([`stage.${run.stage}`, 'stage.other'], { name: run.stage }) : '';
  return (
    <>
      <Card
        title={
          <span className="sg-row">
            {t('evaluation.running')} <StatusTag about="run" code={run.status} />
          </span>
        }
        extra={
          <>
            <Plain size="small" aria-expanded={log} onClick={() => setLog(!log)}>
              {t('log.title')}
            </Plain>
            <Danger size="small" why={run.status === 'stopping' && t('status.run.stopping')} onClick={() => setAsking(true)}>
              {t('evaluation.stop')}
            </Danger>
          </>
        }
      >
        <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
          <span className="sg-grow">
            <Bar value={run.progress} label={t('task.progress')} />
          </span>
          <span className="sg-num">{percent(run.progress, language)}</span>
        </div>
        <p className="sg-secondary">
          {run.status === 'queued'
            ? t('training.queued', { count: run.ahead ?? 0 })
            : run.expected_seconds === null
              ? stage
              : t('evaluation.left', { stage, time: duration(run.expected_seconds, language) })}
        </p>
      </Card>
      {log && <LogViewer run={run.id} live />}
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t('evaluation.stopTitle')}
        footer={
          <>
            <Plain onClick={() => setAsking(false)}>{t('common.cancel')}</Plain>
            <Danger loading={stop.isPending} onClick={() => stop.mutate()}>
              {t('evaluation.stop')}
            </Danger>
          </>
        }
      >
        <p>{t('evaluation.stopText')}</p>
        {stop.isError && <ProblemBox error={stop.error} />}
      </Dialog>
    </>
  );
}
