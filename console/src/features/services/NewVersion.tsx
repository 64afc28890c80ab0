import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { servicesQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Alert, Card, Check, Field, Input, Plain, Select } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';

/** The model as a new version of a service that is there already, with a share of its traffic. */
export function NewVersion({ version, threshold }: { version: Schemas['TaskVersionOut']; threshold: string }) {
  const { t } = useText();
  const client = useQueryClient();
  const services = useQuery(servicesQuery({ limit: 200 }));
  const fitting = services.data?.items.filter((item) => item.scenario === version.scenario) ?? [];
  const [service, setService] = useState('');
  const [weight, setWeight] = useState('10');
  const [confirmed, setConfirmed] = useState(false);
  const publish = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/services/{service}/versions', {
          params: { path: { service } },
          body: {
            task: version.task,
            version: version.number,
            weight: Number(weight),
            threshold: threshold === '' ? null : Number(threshold),
            confirm: confirmed,
          },
        }),
      ),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['service', service] });
    },
  });
  if (fitting.length === 0) return null;
  const worse = publish.error instanceof ApiError && publish.error.code === 'model_worse';
  const wrong = !(Number.isInteger(Number(weight)) && Number(weight) >= 0 && Number(weight) <= 100);
  const why = service === '' ? t('svc.newVersion.choose') : wrong ? t('svc.newVersion.weightWrong') : null;
  return (
    <Card title={t('svc.newVersion.title')}>
      <div className="sg-stack">
        <Field label={t('svc.newVersion.service')}>
          <Select value={service} onChange={(event) => setService(event.target.value)}>
            <option value="">-</option>
            {fitting.map((item) => (
              <option key={item.id} value={item.name}>
                {item.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t('svc.newVersion.weight')} hint={t('svc.newVersion.weightHint')}>
          <Input type="number" min={0} max={100} step={1} value={weight} onChange={(event) => setWeight(event.target.value)} />
        </Field>
        {publish.isError && <ProblemBox error={publish.error} />}
        {(worse || confirmed) && <Check label={t('svc.newVersion.confirm')} checked={confirmed} onChange={() => setConfirmed(!confirmed)} />}
        {publish.data && (
          <Alert
            theme="success"
            title={t('svc.newVersion.done', { version: Math.max(...publish.data.versions.map((item) => item.number)), service: publish.data.name })}
            extra={<Link to={`/services/${encodeURIComponent(publish.data.name)}/versions`}>{t('svc.tabs.versions')}</Link>}
          />
        )}
        <div>
          <Plain why={why} loading={publish.isPending} onClick={() => publish.mutate()}>
            {t('svc.newVersion.submit')}
          </Plain>
        </div>
      </div>
    </Card>
  );
}
