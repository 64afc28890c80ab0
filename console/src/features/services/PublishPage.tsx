import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { evaluationQuery, evaluationsQuery, serviceQuery, servicesQuery } from '../../shared/api/queries';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Bar, Card, Check, Empty, Facts, Group, LinkButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { ServiceActions } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';
import { TaskPage, taskPath } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { NewServiceForm } from './NewServiceForm';
import { NewVersionForm } from './NewVersionForm';

type Version = Schemas['TaskVersionOut'];

export default function PublishPage() {
  const query = useTaskVersion();
  return (
    <Loaded query={query} rows={10}>
      {(version) => <Publish key={version.id} version={version} />}
    </Loaded>
  );
}

function Publish({ version }: { version: Version }) {
  const { t } = useText();
  const [as, setAs] = useAddress('as', 'new');
  const [threshold] = useAddress('t');
  const [made, setMade] = useState<string | null>(null);
  const services = useQuery(servicesQuery({ limit: 200 }));
  const fitting = (services.data?.items ?? []).filter((service) => service.scenario === version.scenario);
  const summary = useModel(version, threshold);
  return (
    <TaskPage version={version} stage="publish">
      {version.model_id === null ? (
        <Card>
          <Empty title={t('publish.noModel')} text={t('task.waits.publish')}>
            <LinkButton to={taskPath(version.task, version.number, 'training')}>{t('evaluation.seeTraining')}</LinkButton>
          </Empty>
        </Card>
      ) : (
        <div className="sg-side">
          <Card title={t('publish.title')}>
            <div className="sg-stack">
              <Group label={t('publish.as')}>
                <Check kind="radio" name="as" checked={as === 'new'} onChange={() => setAs(null)} label={t('publish.asNew')} />
                <Check kind="radio" name="as" checked={as === 'version'} disabled={fitting.length === 0} onChange={() => setAs('version')} label={t('publish.asVersion')} />
              </Group>
              {as === 'version' && fitting.length > 0 ? (
                <NewVersionForm version={version} services={fitting} start={threshold} recommended={summary.recommended} done={made !== null} onMade={setMade} />
              ) : (
                <NewServiceForm version={version} start={threshold} recommended={summary.recommended} done={made !== null} onMade={setMade} />
              )}
            </div>
          </Card>
          <div className="sg-stack sg-sticky">
            <Summary version={version} {...summary} />
            {made && <Progress name={made} />}
          </div>
        </div>
      )}
    </TaskPage>
  );
}

/** How good the model is at the threshold that it will have. */
function useModel(version: Version, threshold: string) {
  const evaluations = useQuery(evaluationsQuery(version.task, version.number));
  const latest = evaluations.data?.items.find((item) => item.evaluation !== null);
  const evaluation = useQuery({ ...evaluationQuery(latest?.evaluation ?? ''), enabled: Boolean(latest) });
  const recommended = evaluation.data?.results.recommended_threshold;
  const at = Number(threshold) || recommended;
  const counts = at === undefined ? undefined : evaluation.data?.results.overall[Math.round(at / 0.05) - 1];
  const whole = counts ? 2 * counts.tp + counts.fp + counts.fn : 0;
  return { recommended, at, f1: counts && whole > 0 ? (2 * counts.tp) / whole : null };
}

function Summary({ version, at, f1 }: { version: Version; at: number | undefined; f1: number | null }) {
  const { t, language } = useText();
  return (
    <Card title={t('publish.summary')}>
      <Facts
        items={[
          [t('service.model'), `${version.task} v${version.number}`],
          [at === undefined ? t('publish.f1') : t('publish.f1At', { threshold: at.toFixed(2) }), percent(f1, language)],
          [t('publish.validation'), percent(version.training_run?.best_score, language)],
        ]}
      />
    </Card>
  );
}

/** The service on its way from creating to running; then the test is the next step. */
function Progress({ name }: { name: string }) {
  const { t } = useText();
  const query = useQuery(serviceQuery(name));
  const path = `/services/${encodeURIComponent(name)}`;
  return (
    <Card title={<span className="sg-cell-name">{name}</span>}>
      <Loaded query={query}>
        {(service) => (
          <div className="sg-stack-s" aria-live="polite">
            <StatusTag about="service" code={service.status} />
            {['creating', 'starting'].includes(service.status) && <Bar value={service.instance_count ? service.ready_count / service.instance_count : 0} label={t('task.progress')} />}
            {service.error && (
              <Alert theme="danger" title={service.error.message}>
                {service.error.action}
              </Alert>
            )}
            <div className="sg-row">
              <LinkButton primary={service.status === 'running'} to={`${path}/test`} why={service.status === 'running' ? null : t('service.testWaits')}>
                {t('service.test')}
              </LinkButton>
              <LinkButton to={path}>{t('test.view')}</LinkButton>
              <ServiceActions service={service} />
            </div>
          </div>
        )}
      </Loaded>
    </Card>
  );
}
