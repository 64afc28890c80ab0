import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { isOver } from '../../shared/api/queries';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Danger, Dialog, Field, Input, Plain, Primary } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';

type Asked = 'stop' | 'time' | 'restart' | null;

/** Stop, restart, add time: each says first what will happen. */
export function RunActions({ version, run }: { version: Schemas['TaskVersionOut']; run: Schemas['RunOut'] }) {
  const { t, language } = useText();
  const client = useQueryClient();
  const [asked, setAsked] = useState<Asked>(null);
  const [minutes, setMinutes] = useState('30');
  const path = { task: version.task, number: version.number };
  const act = useMutation({
    mutationFn: (what: { kind: 'stop'; evaluate: boolean } | { kind: 'restart' } | { kind: 'time'; seconds: number }) => {
      if (what.kind === 'stop')
        return unwrap(api.POST('/v1/tasks/{task}/versions/{number}/stop', { params: { path }, body: { evaluate: what.evaluate } }));
      if (what.kind === 'restart') return unwrap(api.POST('/v1/tasks/{task}/versions/{number}/restart', { params: { path } }));
      return unwrap(api.POST('/v1/tasks/{task}/versions/{number}/add-time', { params: { path }, body: { seconds: what.seconds } }));
    },
    onSuccess: () => {
      setAsked(null);
      void client.invalidateQueries({ queryKey: ['task', version.task] });
    },
  });
  const over = isOver(run.status);
  const more = Number(minutes);
  const close = () => {
    setAsked(null);
    act.reset();
  };
  const hasModel = version.model_id !== null;
  return (
    <>
      {run.max_seconds !== null && (!over || run.reason === 'time_limit' || run.status !== 'succeeded') && (
        <Plain onClick={() => setAsked('time')}>{t('training.addTime')}</Plain>
      )}
      {(run.status === 'failed' || run.status === 'stopped') && <Plain onClick={() => setAsked('restart')}>{t('training.restart')}</Plain>}
      {!over && (
        <Danger disabled={run.stopping_since !== null} onClick={() => setAsked('stop')}>
          {t('training.stop')}
        </Danger>
      )}
      <Dialog
        open={asked === 'stop'}
        onClose={close}
        title={t('training.stopTitle', { name: version.task })}
        footer={
          <>
            <Plain onClick={close}>{t('training.goOn')}</Plain>
            {hasModel && (
              <Plain loading={act.isPending} onClick={() => act.mutate({ kind: 'stop', evaluate: false })}>
                {t('training.stopOnly')}
              </Plain>
            )}
            <Danger loading={act.isPending} onClick={() => act.mutate({ kind: 'stop', evaluate: true })}>
              {hasModel ? t('training.stopAndEvaluate') : t('training.stopNow')}
            </Danger>
          </>
        }
      >
        <p>{hasModel ? t('training.stopText', { best: percent(run.best_score, language) }) : t('training.stopNoModel')}</p>
        {act.isError && <ProblemBox error={act.error} />}
      </Dialog>
      <Dialog
        open={asked === 'restart'}
        onClose={close}
        title={t('training.restart')}
        footer={
          <>
            <Plain onClick={close}>{t('common.cancel')}</Plain>
            <Primary loading={act.isPending} onClick={() => act.mutate({ kind: 'restart' })}>
              {t('training.restart')}
            </Primary>
          </>
        }
      >
        <p>{t('training.restartText')}</p>
        {act.isError && <ProblemBox error={act.error} />}
      </Dialog>
      <Dialog
        open={asked === 'time'}
        onClose={close}
        title={t('training.addTime')}
        footer={
          <>
            <Plain onClick={close}>{t('common.cancel')}</Plain>
            <Primary loading={act.isPending} disabled={!(more > 0)} onClick={() => act.mutate({ kind: 'time', seconds: more * 60 })}>
              {t('training.addTime')}
            </Primary>
          </>
        }
      >
        <Field label={t('training.addMinutes')} hint={over ? t('training.addTimeOver') : t('training.addTimeText')}>
          <Input type="number" min={1} value={minutes} onChange={(event) => setMinutes(event.target.value)} />
        </Field>
        {act.isError && <ProblemBox error={act.error} />}
      </Dialog>
    </>
  );
}
