import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { datasetsQuery, specsQuery } from '../../shared/api/queries';
import { moment } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Check, Field, Input, Primary, Select } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { SpecTable } from '../../shared/ui/SpecTable';
import { useNow } from '../../shared/ui/useNow';
import { Quote } from '../../shared/ui/Quote';
import { ThresholdField } from './ThresholdField';

const HOUR = 3600;
const NAME = 60;

type Props = { version: Schemas['TaskVersionOut']; start: string; recommended: number | undefined; done: boolean; onMade: (service: string) => void };

/** A service of its own: name, threshold, resources, how long it runs, and whether it keeps what callers send. */
export function NewServiceForm({ version, start, recommended, done, onMade }: Props) {
  const { t, language } = useText();
  const client = useQueryClient();
  const now = useNow(true);
  const specs = useQuery(specsQuery());
  const datasets = useQuery(datasetsQuery({ scenario: version.scenario, limit: 200 }));
  const [name, setName] = useState(`${version.task.slice(0, NAME - 8)}-service`);
  const [threshold, setThreshold] = useState(start);
  const [spec, setSpec] = useState('');
  const [instances, setInstances] = useState('1');
  const [hours, setHours] = useState('1');
  const [limited, setLimited] = useState(true);
  const [keeps, setKeeps] = useState(false);
  const [dataset, setDataset] = useState('');
  const [days, setDays] = useState('30');
  const seconds = limited ? Number(hours) * HOUR : null;
  const publish = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/services', {
          body: {
            name: name.trim(),
            task: version.task,
            version: version.number,
            spec: spec || null,
            instances: Number(instances),
            threshold: threshold === '' ? null : Number(threshold),
            max_run_seconds: seconds,
            keep: keeps ? { dataset, days: Number(days), most: 1000, share: 1 } : null,
          },
        }),
      ),
    onSuccess: (service) => {
      onMade(service.name);
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['task', version.task] });
    },
  });
  const errors = publish.error instanceof ApiError ? publish.error.fields : {};
  const why = done
    ? t('publish.done')
    : name.trim() === ''
      ? t('publish.missing.name')
      : limited && !(Number(hours) > 0)
        ? t('form.missing.time')
        : !(Number(instances) >= 1)
          ? t('publish.missing.instances')
          : keeps && dataset === ''
            ? t('publish.missing.dataset')
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
      <Field label={t('publish.name')} hint={t('form.nameHint')} error={errors.name}>
        <Input className="sg-wide" value={name} maxLength={NAME} onChange={(event) => setName(event.target.value)} />
      </Field>
      <ThresholdField value={threshold} recommended={recommended} error={errors.threshold} onChange={setThreshold} />
      <Loaded query={specs}>{(page) => <SpecTable specs={page.items} value={spec} onChange={setSpec} />}</Loaded>
      {errors.spec && <div className="sg-error sg-small">{errors.spec}</div>}
      <Field label={t('service.instances')} help={t('publish.instancesHelp')} error={errors.instances}>
        <Input type="number" min={1} max={16} style={{ width: 120 }} value={instances} onChange={(event) => setInstances(event.target.value)} />
      </Field>
      <Quote spec={spec || '1C2G'} count={Math.max(1, Number(instances) || 1)} />
      <Field
        label={t('service.maxRun')}
        help={t('publish.maxRunHelp')}
        error={errors.max_run_seconds}
        hint={seconds === null || !(seconds > 0) ? t('publish.noLimitHint') : t('publish.stopsAt', { at: moment(new Date(now + seconds * 1000).toISOString(), language) })}
      >
        <Hours hours={hours} limited={limited} onHours={setHours} onLimited={setLimited} />
      </Field>
      <div className="sg-stack-s">
        <Check label={t('publish.keep')} checked={keeps} onChange={() => setKeeps(!keeps)} />
        <p className="sg-secondary sg-small">{keeps ? t('publish.keepOn') : t('publish.keepOff')}</p>
        {keeps && (
          <div className="sg-row">
            <Select aria-label={t('publish.keepIn')} value={dataset} onChange={(event) => setDataset(event.target.value)}>
              <option value="">{t('publish.keepIn')}</option>
              {datasets.data?.items.map((item) => (
                <option key={item.id} value={item.name}>
                  {item.name}
                </option>
              ))}
            </Select>
            <Input type="number" min={1} style={{ width: 96 }} aria-label={t('publish.keepDays')} value={days} onChange={(event) => setDays(event.target.value)} />
            <span>{t('publish.days')}</span>
          </div>
        )}
        {Object.entries(errors)
          .filter(([field]) => field.startsWith('keep'))
          .map(([field, message]) => (
            <div key={field} className="sg-error sg-small">
              {message}
            </div>
          ))}
      </div>
      {publish.isError && <ProblemBox error={publish.error} />}
      <div>
        <Primary type="submit" loading={publish.isPending} why={why}>
          {t('publish.submit')}
        </Primary>
      </div>
    </form>
  );
}

function Hours(props: { hours: string; limited: boolean; onHours: (hours: string) => void; onLimited: (limited: boolean) => void; id?: string }) {
  const { t } = useText();
  const { hours, limited, onHours, onLimited, ...rest } = props;
  return (
    <div className="sg-row">
      <Input {...rest} type="number" min={0.1} step="any" style={{ width: 120 }} disabled={!limited} value={limited ? hours : ''} onChange={(event) => onHours(event.target.value)} />
      <Select aria-label={t('form.unit')} value={limited ? 'h' : 'none'} onChange={(event) => onLimited(event.target.value === 'h')}>
        <option value="h">{t('form.hours')}</option>
        <option value="none">{t('form.noLimit')}</option>
      </Select>
    </div>
  );
}
