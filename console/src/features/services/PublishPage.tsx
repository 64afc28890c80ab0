import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { evaluationQuery, evaluationsQuery, serviceQuery, specsQuery } from '../../shared/api/queries';
import { moment, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Bar, Card, Facts, Field, Input, Primary, Select } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { ServiceActions } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';
import { TaskPage } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';
import { useNow } from '../../shared/ui/useNow';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { NewVersion } from './NewVersion';

export default function PublishPage() {
  const query = useTaskVersion();
  return <Loaded query={query}>{(version) => <Publish version={version} />}</Loaded>;
}

function Publish({ version }: { version: Schemas['TaskVersionOut'] }) {
  const { t, language } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const now = useNow(true);
  const evaluations = useQuery(evaluationsQuery(version.task, version.number));
  const latest = evaluations.data?.items.find((item) => item.evaluation !== null);
  const evaluation = useQuery({ ...evaluationQuery(latest?.evaluation ?? ''), enabled: Boolean(latest) });
  const specs = useQuery(specsQuery());
  const recommended = evaluation.data?.results.recommended_threshold;
  const [chosen] = useAddress('t');
  const [name, setName] = useState(`${version.task}-service`);
  const [threshold, setThreshold] = useState(chosen);
  const [spec, setSpec] = useState('');
  const [instances, setInstances] = useState(1);
  const [hours, setHours] = useState('1');
  const [limited, setLimited] = useState(true);
  const [made, setMade] = useState<string | null>(null);
  const seconds = limited ? Number(hours) * 3600 : null;
  const publish = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/services', {
          body: {
            name: name.trim(),
            task: version.task,
            version: version.number,
            spec: spec || null,
            instances,
            threshold: threshold === '' ? null : Number(threshold),
            max_run_seconds: seconds,
          },
        }),
      ),
    onSuccess: (service) => {
      setMade(service.name);
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['task', version.task] });
    },
  });
  const errors = publish.error instanceof ApiError ? publish.error.fields : {};
  const step = recommended === undefined ? 0 : Math.round(recommended / 0.05) - 1;
  const overall = evaluation.data?.results.overall[step];
  const f1 = overall && 2 * overall.tp + overall.fp + overall.fn > 0 ? (2 * overall.tp) / (2 * overall.tp + overall.fp + overall.fn) : null;
  return (
    <TaskPage version={version} stage="publish">
      {version.model_id === null ? (
        <Alert theme="warning" title={t('task.waits.publish')} />
      ) : (
        <div className="sg-side">
          <Card title={t('publish.title')}>
            <form
              className="sg-stack"
              onSubmit={(event) => {
                event.preventDefault();
                publish.mutate();
              }}
            >
              <Field label={t('publish.name')} hint={t('form.nameHint')} error={errors.name}>
                <Input value={name} maxLength={60} onChange={(event) => setName(event.target.value)} />
              </Field>
              <Field label={t('evaluation.threshold')} help={t('publish.thresholdHelp')} hint={recommended === undefined ? undefined : t('publish.recommended', { threshold: recommended.toFixed(2) })} error={errors.threshold}>
                <Input type="number" min={0} max={1} step={0.05} value={threshold} placeholder={recommended?.toFixed(2)} onChange={(event) => setThreshold(event.target.value)} />
              </Field>
              <Field label={t('form.spec')} help={t('form.specHelp')} error={errors.spec}>
                <Select value={spec} onChange={(event) => setSpec(event.target.value)}>
                  <option value="">{t('form.specAuto')}</option>
                  {specs.data?.items
                    .filter((item) => item.available)
                    .map((item) => (
                      <option key={item.id} value={item.id}>
                        {t('form.specOption', { id: item.id, cpu: item.cpu, memory: item.memory_mb / 1024 })}
                      </option>
                    ))}
                </Select>
              </Field>
              <Field label={t('service.instances')} help={t('publish.instancesHelp')} error={errors.instances}>
                <Input type="number" min={1} max={16} value={instances} onChange={(event) => setInstances(Number(event.target.value))} />
              </Field>
              <Field
                label={t('service.maxRun')}
                help={t('publish.maxRunHelp')}
                error={errors.max_run_seconds}
                hint={seconds === null || !(seconds > 0) ? t('publish.noLimitHint') : t('publish.stopsAt', { at: moment(new Date(now + seconds * 1000).toISOString(), language) })}
              >
                <Hours hours={hours} limited={limited} onHours={setHours} onLimited={setLimited} />
              </Field>
              {publish.isError && <ProblemBox error={publish.error} />}
              <div>
                <Primary type="submit" loading={publish.isPending} disabled={made !== null || (limited && !(Number(hours) > 0))}>
                  {t('publish.submit')}
                </Primary>
              </div>
            </form>
          </Card>
          <div className="sg-stack sg-sticky">
            <Card title={t('publish.summary')}>
              <Facts
                items={[
                  [t('service.model'), `${version.task} v${version.number}`],
                  [t('publish.f1'), percent(f1, language)],
                  [t('publish.validation'), percent(version.training_run?.best_score, language)],
                  [t('publish.billing'), t('publish.free')],
                  [t('service.keeps'), t('service.keepsNothing')],
                ]}
              />
            </Card>
            <NewVersion version={version} threshold={threshold} />
            {made && <Progress name={made} onTest={() => void go(`/services/${encodeURIComponent(made)}/test`)} />}
          </div>
        </div>
      )}
    </TaskPage>
  );
}

function Hours(props: { hours: string; limited: boolean; onHours: (hours: string) => void; onLimited: (limited: boolean) => void; id?: string }) {
  const { t } = useText();
  const { hours, limited, onHours, onLimited, ...rest } = props;
  return (
    <div className="sg-row">
      <Input {...rest} type="number" min={0.1} step="any" disabled={!limited} value={limited ? hours : ''} onChange={(event) => onHours(event.target.value)} />
      <Select aria-label={t('form.unit')} value={limited ? 'h' : 'none'} onChange={(event) => onLimited(event.target.value === 'h')}>
        <option value="h">{t('form.hours')}</option>
        <option value="none">{t('form.noLimit')}</option>
      </Select>
    </div>
  );
}

/** The new service on its way from creating to running. */
function Progress({ name, onTest }: { name: string; onTest: () => void }) {
  const { t } = useText();
  const query = useQuery(serviceQuery(name));
  return (
    <Card title={name}>
      <Loaded query={query}>
        {(service) => (
          <div className="sg-stack-s">
            <StatusTag about="service" code={service.status} />
            {!['running', 'create_failed', 'stopped'].includes(service.status) && <Bar value={service.instance_count ? service.ready_count / service.instance_count : 0} label={t('task.progress')} />}
            {service.error && <Alert theme="danger" title={service.error.message}>{service.error.action}</Alert>}
            <div className="sg-row">
              <Primary disabled={service.status !== 'running'} onClick={onTest}>
                {t('service.test')}
              </Primary>
              <ServiceActions service={service} />
            </div>
          </div>
        )}
      </Loaded>
    </Card>
  );
}
