import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Check, Field, Input, Primary, Select } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { ThresholdField } from './ThresholdField';

type Service = Schemas['ServiceOut'];
type Props = { version: Schemas['TaskVersionOut']; services: Service[]; start: string; recommended: number | undefined; done: boolean; onMade: (service: string) => void };

/** A version of a service that is online: it gets a share of the traffic; a worse model asks for a tick. */
export function NewVersionForm({ version, services, start, recommended, done, onMade }: Props) {
  const { t, language } = useText();
  const client = useQueryClient();
  const [name, setName] = useState(services[0]?.name ?? '');
  const [threshold, setThreshold] = useState(start);
  const [weight, setWeight] = useState('10');
  const [confirm, setConfirm] = useState(false);
  const service = services.find((item) => item.name === name);
  const present = service?.versions.reduce<Service['versions'][number] | undefined>((best, item) => (best === undefined || item.weight > best.weight ? item : best), undefined);
  const score = version.training_run?.best_score ?? null;
  const publish = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/services/{service}/versions', {
          params: { path: { service: name } },
          body: { task: version.task, version: version.number, weight: Number(weight), threshold: threshold === '' ? null : Number(threshold), confirm },
        }),
      ),
    onSuccess: (made) => {
      onMade(made.name);
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['service', made.name] });
    },
  });
  const refused = publish.error instanceof ApiError && publish.error.code === 'model_worse';
  const worse = refused || (present !== undefined && score !== null && score < present.score);
  const errors = publish.error instanceof ApiError ? publish.error.fields : {};
  const share = Number(weight);
  const why = done
    ? t('publish.done')
    : weight.trim() === '' || !Number.isInteger(share) || share < 0 || share > 100
      ? t('publish.missing.weight')
      : worse && !confirm
        ? t('publish.missing.confirm')
        : null;
  return (
    <form
      className="sg-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!why && !publish.isPending) publish.mutate();
      }}
    >
      <Field label={t('publish.service')}>
        <Select
          value={name}
          onChange={(event) => {
            setName(event.target.value);
            setConfirm(false);
            publish.reset();
          }}
        >
          {services.map((item) => (
            <option key={item.id} value={item.name}>
              {item.name}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t('publish.weight')} help={t('publish.weightHelp')} hint={t('publish.weightHint', { rest: 100 - (share || 0) })} error={errors.weight}>
        <Input type="number" min={0} max={100} step={1} style={{ width: 120 }} value={weight} onChange={(event) => setWeight(event.target.value)} />
      </Field>
      <ThresholdField value={threshold} recommended={recommended} error={errors.threshold} onChange={setThreshold} />
      {worse && (
        <Alert theme="warning" title={t('publish.worse', { here: percent(score, language), there: percent(present?.score, language) })}>
          <Check label={t('publish.confirm')} checked={confirm} onChange={() => setConfirm(!confirm)} />
        </Alert>
      )}
      {publish.isError && !refused && <ProblemBox error={publish.error} />}
      <div>
        <Primary type="submit" loading={publish.isPending} why={why}>
          {t('publish.submit')}
        </Primary>
      </div>
    </form>
  );
}
