import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Schemas } from '../api/client';
import { evaluationsQuery, taskQuery } from '../api/queries';
import { useText } from '../i18n';
import { Page } from './Page';
import { Select, Tip } from './kit';
import { ShareButton } from './ShareButton';
import { StatusTag } from './Status';

export type Stage = 'training' | 'evaluations' | 'publish';
export const taskPath = (task: string, version: number, stage?: string) =>
  `/tasks/${encodeURIComponent(task)}/${version}${stage ? `/${stage}` : ''}`;

/** Heading of the pages of a task version: version, status, and the steps from training to service. */
export function TaskPage(props: {
  version: Schemas['TaskVersionOut'];
  stage: Stage;
  tag?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useText();
  const go = useNavigate();
  const { version, stage } = props;
  const { data: task } = useQuery(taskQuery(version.task));
  const { data: evaluations } = useQuery(evaluationsQuery(version.task, version.number));
  const reached: Record<Stage, boolean> = {
    training: true,
    evaluations: (evaluations?.total ?? 0) > 0 || version.model_id !== null,
    publish: version.model_id !== null,
  };
  const steps: Stage[] = ['training', 'evaluations', 'publish'];
  return (
    <Page
      title={version.task}
      tab={`${version.task} v${version.number} · ${t(`task.steps.${stage}`)}`}
      crumbs={[
        { text: t('shell.pages.tasks'), to: '/tasks' },
        { text: version.task, to: taskPath(version.task, version.number) },
        { text: `v${version.number}` },
        { text: t(`task.steps.${stage}`) },
      ]}
      tag={
        <>
          <Select
            aria-label={t('task.version')}
            value={version.number}
            onChange={(event) => void go(taskPath(version.task, Number(event.target.value), stage))}
          >
            {(task?.versions ?? [version]).map((item) => (
              <option key={item.number} value={item.number}>
                v{item.number}
              </option>
            ))}
          </Select>
          {props.tag ?? (version.training_run && <StatusTag about="run" code={version.training_run.status} />)}
        </>
      }
      actions={
        <>
          <ShareButton kind="task" name={version.task} />
          {props.actions}
        </>
      }
    >
      <nav aria-label={t('task.stepsLabel')}>
        <ol className="sg-steps">
          {(['form', ...steps] as const).map((step, index) => {
            const done = step === 'form' || (reached[step] && steps.indexOf(step) < steps.indexOf(stage));
            const inside = (
              <>
                <span className="sg-step-number" data-done={done} aria-hidden>
                  {done ? '✓' : index + 1}
                </span>
                {t(`task.steps.${step}`)}
              </>
            );
            const link = (to: string) => <Link to={to}>{inside}</Link>;
            return (
              <li key={step}>
                {step === stage ? (
                  <span aria-current="step">{inside}</span>
                ) : step === 'form' ? (
                  link(`/tasks/new?from=${encodeURIComponent(version.task)}&version=${version.number}&as=version`)
                ) : reached[step] ? (
                  link(taskPath(version.task, version.number, step))
                ) : (
                  <Tip text={t(`task.waits.${step}`)}>
                    <span className="sg-secondary" tabIndex={0}>
                      {inside}
                    </span>
                  </Tip>
                )}
              </li>
            );
          })}
        </ol>
      </nav>
      {props.children}
    </Page>
  );
}
