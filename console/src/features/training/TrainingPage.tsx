import { useEffect, useRef } from 'react';
import type { Schemas } from '../../shared/api/client';
import { isOver } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { announce } from '../../shared/ui/announce';
import { Alert, Empty, LinkButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { LogViewer } from '../../shared/ui/LogViewer';
import { TaskPage, taskPath } from '../../shared/ui/TaskHeader';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { Candidates } from './Candidates';
import { Curves } from './Curves';
import { Failure } from './Failure';
import { Figures, Stages } from './Progress';
import { RunActions } from './RunActions';
import { useRunFeed } from './useRunFeed';

export default function TrainingPage() {
  const query = useTaskVersion();
  return (
    <Loaded query={query} rows={10}>
      {(version) => <Training key={version.id} version={version} />}
    </Loaded>
  );
}

function Training({ version }: { version: Schemas['TaskVersionOut'] }) {
  const { t } = useText();
  const run = version.training_run;
  const live = run !== null && !isOver(run.status);
  useRunFeed(live ? run.id : null, version.task, version.number);
  const evaluation = version.evaluation_run;
  const status = run?.status;
  const told = useRef(status);
  useEffect(() => {
    if (status && status !== told.current) announce(t('training.now', { name: version.task, status: t(`status.run.${status}`) }));
    told.current = status;
  }, [status, version.task, t]);
  const evaluationPage = taskPath(version.task, version.number, 'evaluations');
  return (
    <TaskPage
      version={version}
      stage="training"
      actions={
        run && (
          <>
            <RunActions version={version} run={run} />
            {version.model_id && !live && (
              <LinkButton primary to={evaluationPage}>
                {t('training.seeEvaluation')}
              </LinkButton>
            )}
          </>
        )
      }
    >
      {run === null ? (
        <Empty title={t('status.run.not_started')} text={t('task.waits.training')} />
      ) : (
        <div className="sg-stack">
          {run.error && <Failure run={run} />}
          {run.status === 'queued' && (
            <Alert theme="info" title={t('training.queued', { count: run.ahead ?? 0 })}>
              {t('training.queuedText')}
            </Alert>
          )}
          {run.status === 'stopping' && <Alert theme="warning" title={t('training.stopping')} />}
          {evaluation && !isOver(evaluation.status) && (
            <Alert theme="info" title={t('training.evaluating')} extra={<LinkButton small to={evaluationPage}>{t('training.seeEvaluation')}</LinkButton>} />
          )}
          <Figures run={run} live={live} />
          <div className="sg-training">
            <Stages run={run} />
            <Curves run={run} live={live} />
            <Candidates run={run} live={live} />
          </div>
          <LogViewer run={run.id} live={live} />
        </div>
      )}
    </TaskPage>
  );
}
