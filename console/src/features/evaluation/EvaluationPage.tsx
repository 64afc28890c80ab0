import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { evaluationQuery, evaluationsQuery, isOver } from '../../shared/api/queries';
import { moment } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Empty, Field, LinkButton, Plain, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { TaskPage, taskPath } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { EvaluateAgain } from './EvaluateAgain';
import { Numbers } from './Numbers';
import { RunningEvaluation } from './RunningEvaluation';

type Version = Schemas['TaskVersionOut'];

export default function EvaluationPage() {
  const query = useTaskVersion();
  return (
    <Loaded query={query} rows={10}>
      {(version) => <Evaluation key={version.id} version={version} />}
    </Loaded>
  );
}

function Evaluation({ version }: { version: Version }) {
  const { t, language } = useText();
  const go = useNavigate();
  const { evaluation: named } = useParams();
  const list = useQuery(evaluationsQuery(version.task, version.number));
  const [asking, setAsking] = useState(false);
  const [threshold] = useAddress('t');
  const path = taskPath(version.task, version.number);
  const items = list.data?.items ?? [];
  const done = items.filter((item) => item.evaluation !== null);
  const shown = named ?? done[0]?.evaluation ?? null;
  const present = items.find((item) => item.evaluation === shown) ?? items[0];
  const noModel = version.model_id === null && t('task.waits.publish');
  return (
    <TaskPage
      version={version}
      stage="evaluations"
      tag={present && <StatusTag about="run" code={present.status} />}
      actions={
        <>
          <Plain why={noModel} onClick={() => setAsking(true)}>
            {t('evaluation.again')}
          </Plain>
          <LinkButton primary why={noModel} to={`${path}/publish${threshold && `?t=${threshold}`}`}>
            {t('evaluation.publish')}
          </LinkButton>
        </>
      }
    >
      <EvaluateAgain version={version} open={asking} onClose={() => setAsking(false)} />
      <Loaded query={list} rows={8}>
        {() => (
          <div className="sg-stack">
            {items
              .filter((item) => !isOver(item.status))
              .map((item) => (
                <RunningEvaluation key={item.id} run={item} />
              ))}
            {done.length === 0 && items[0]?.error && (
              <Alert theme="danger" title={items[0].error.message}>
                {items[0].error.action}
              </Alert>
            )}
            {done.length > 1 && (
              <Field label={t('evaluation.which')}>
                <Select value={shown ?? ''} onChange={(event) => void go(`${path}/evaluations/${event.target.value}`)}>
                  {done.map((item) => (
                    <option key={item.id} value={item.evaluation!}>
                      {t('evaluation.option', {
                        test: item.test.join(t('common.listJoin')) || t('evaluation.heldOut'),
                        pictures: item.sample_count,
                        at: moment(item.ended_at, language),
                      })}
                    </option>
                  ))}
                </Select>
              </Field>
            )}
            {shown !== null ? (
              <Shown key={shown} id={shown} version={version} base={`${path}/evaluations/${shown}`} />
            ) : (
              items.every((item) => isOver(item.status)) && (
                <Empty title={t('evaluation.none')} text={version.model_id === null ? t('task.waits.evaluations') : t('evaluation.noneText')}>
                  {version.model_id === null && <LinkButton to={`${path}/training`}>{t('evaluation.seeTraining')}</LinkButton>}
                </Empty>
              )
            )}
          </div>
        )}
      </Loaded>
    </TaskPage>
  );
}

function Shown({ id, version, base }: { id: string; version: Version; base: string }) {
  const query = useQuery(evaluationQuery(id));
  return (
    <Loaded query={query} rows={8}>
      {(data) => <Numbers data={data} version={version} base={base} />}
    </Loaded>
  );
}
