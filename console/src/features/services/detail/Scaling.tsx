import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../../shared/api/client';
import { datasetsQuery, specsQuery } from '../../../shared/api/queries';
import { useText } from '../../../shared/i18n';
import { Card, Check, Field, Group, Input, Plain, Select } from '../../../shared/ui/kit';
import { useChange } from './useChange';

type Service = Schemas['ServiceOut'];
type Rules = Service['scaling'];
type Mode = Rules['mode'];
const MODES = ['manual', 'load', 'schedule'] as const;
const text = (value: number | null | undefined) => (value === null || value === undefined ? '' : String(value));
const number = (value: string) => (value.trim() === '' ? null : Number(value));

/** How many processes there are, what callers may ask, what is kept. */
export function Scaling({ service }: { service: Service }) {
  return (
    <div className="sg-two">
      <Processes service={service} />
      <div className="sg-stack">
        <Limits service={service} />
        <Keep service={service} />
      </div>
    </div>
  );
}

function Processes({ service }: { service: Service }) {
  const { t } = useText();
  const rules = service.scaling;
  const specs = useQuery(specsQuery());
  const [mode, setMode] = useState<Mode>(rules.mode);
  const [spec, setSpec] = useState(service.spec);
  const [instances, setInstances] = useState(String(service.instances_set));
  const [least, setLeast] = useState(String(rules.minimum));
  const [most, setMost] = useState(String(rules.maximum));
  const [concurrency, setConcurrency] = useState(text(rules.target_concurrency));
  const [p95, setP95] = useState(text(rules.target_p95_ms));
  const [cooldown, setCooldown] = useState(String(rules.cooldown_seconds));
  const [sleeps, setSleeps] = useState(rules.idle_seconds !== null && rules.idle_seconds !== undefined);
  const [idle, setIdle] = useState(text(rules.idle_seconds) || '600');
  const [schedule, setSchedule] = useState((rules.schedule ?? []).map((item) => `${item.cron} = ${item.instances}`).join('\n'));
  const [timezone, setTimezone] = useState(rules.timezone);
  const change = useChange(service.name);
  const entries = schedule
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => /^(.*\S)\s*=\s*(\d+)\s*$/.exec(line));
  const wrong = mode !== 'manual' && entries.some((entry) => entry === null);
  const save = () =>
    change.mutate(() =>
      unwrap(
        api.PATCH('/v1/services/{service}', {
          params: { path: { service: service.name } },
          body: {
            spec: spec === service.spec ? undefined : spec,
            instances: Number(instances),
            scaling: {
              mode,
              minimum: Number(least),
              maximum: Number(most),
              target_concurrency: number(concurrency),
              target_p95_ms: number(p95),
              cooldown_seconds: Number(cooldown),
              idle_seconds: sleeps ? number(idle) : null,
              schedule: mode === 'manual' ? [] : entries.map((entry) => ({ cron: entry![1]!.trim(), instances: Number(entry![2]) })),
              timezone,
            },
          },
        }),
      ),
    );
  return (
    <Card title={t('svc.scaling.title')}>
      <div className="sg-stack">
        <Field label={t('tasks.spec')} help={t('svc.scaling.specHelp')}>
          <Select value={spec} onChange={(event) => setSpec(event.target.value)}>
            {[...new Set([service.spec, ...(specs.data?.items.filter((item) => item.available).map((item) => item.id) ?? [])])].map((item) => (
              <option key={item}>{item}</option>
            ))}
          </Select>
        </Field>
        <Group label={t('svc.scaling.mode')}>
          {MODES.map((item) => (
            <Check key={item} kind="radio" name="mode" label={t(`svc.mode.${item}`)} checked={mode === item} onChange={() => setMode(item)} />
          ))}
        </Group>
        {mode === 'manual' && (
          <Field label={t('svc.scaling.instances')}>
            <Input type="number" min={1} max={64} value={instances} onChange={(event) => setInstances(event.target.value)} />
          </Field>
        )}
        {mode === 'load' && (
          <>
            <div className="sg-row">
              <Field label={t('svc.scaling.least')}>
                <Input type="number" min={1} max={64} value={least} onChange={(event) => setLeast(event.target.value)} />
              </Field>
              <Field label={t('svc.scaling.most')}>
                <Input type="number" min={1} max={64} value={most} onChange={(event) => setMost(event.target.value)} />
              </Field>
            </div>
            <Field label={t('svc.scaling.concurrency')} help={t('svc.scaling.concurrencyHelp')}>
              <Input type="number" min={0.1} step="any" value={concurrency} onChange={(event) => setConcurrency(event.target.value)} />
            </Field>
            <Field label={t('svc.scaling.p95')}>
              <Input type="number" min={1} value={p95} placeholder={t('svc.scaling.unused')} onChange={(event) => setP95(event.target.value)} />
            </Field>
            <Field label={t('svc.scaling.cooldown')} help={t('svc.scaling.cooldownHelp')}>
              <Input type="number" min={1} value={cooldown} onChange={(event) => setCooldown(event.target.value)} />
            </Field>
          </>
        )}
        {mode !== 'manual' && (
          <>
            <Field label={t('svc.scaling.schedule')} hint={t('svc.scaling.scheduleHint')} error={wrong ? t('svc.scaling.scheduleWrong') : null}>
              <Lines value={schedule} onChange={setSchedule} />
            </Field>
            <Field label={t('svc.scaling.timezone')}>
              <Input value={timezone} onChange={(event) => setTimezone(event.target.value)} />
            </Field>
          </>
        )}
        <Check label={t('svc.scaling.sleeps')} checked={sleeps} onChange={() => setSleeps(!sleeps)} />
        {sleeps && (
          <Field label={t('svc.scaling.idle')} hint={t('svc.scaling.idleHint')}>
            <Input type="number" min={5} value={idle} onChange={(event) => setIdle(event.target.value)} />
          </Field>
        )}
        <div>
          <Plain theme="primary" loading={change.isPending} why={wrong ? t('svc.scaling.scheduleWrong') : null} onClick={save}>
            {t('svc.save')}
          </Plain>
        </div>
      </div>
    </Card>
  );
}

function Lines({ value, onChange, ...rest }: { value: string; onChange: (value: string) => void; id?: string }) {
  return <textarea {...rest} className="sg-input" rows={3} spellCheck={false} style={{ fontFamily: 'monospace' }} value={value} onChange={(event) => onChange(event.target.value)} />;
}

function Limits({ service }: { service: Service }) {
  const { t } = useText();
  const now = service.limits;
  const [rate, setRate] = useState(text(now.rate_per_second));
  const [open, setOpen] = useState(text(now.concurrency));
  const [queue, setQueue] = useState(String(now.queue));
  const [deadline, setDeadline] = useState(String(now.deadline_seconds));
  const [request, setRequest] = useState(String(now.max_request_mb));
  const [picture, setPicture] = useState(String(now.max_picture_megapixels));
  const change = useChange(service.name);
  return (
    <Card title={t('svc.limits.title')}>
      <div className="sg-stack">
        <div className="sg-row">
          <Field label={t('svc.limits.rate')}>
            <Input type="number" min={0.1} step="any" value={rate} placeholder={t('form.noLimit')} onChange={(event) => setRate(event.target.value)} />
          </Field>
          <Field label={t('svc.limits.concurrency')}>
            <Input type="number" min={1} value={open} placeholder={t('form.noLimit')} onChange={(event) => setOpen(event.target.value)} />
          </Field>
        </div>
        <div className="sg-row">
          <Field label={t('svc.limits.queue')} help={t('svc.limits.queueHelp')}>
            <Input type="number" min={0} value={queue} onChange={(event) => setQueue(event.target.value)} />
          </Field>
          <Field label={t('svc.limits.deadlineSeconds')}>
            <Input type="number" min={0.1} step="any" value={deadline} onChange={(event) => setDeadline(event.target.value)} />
          </Field>
        </div>
        <div className="sg-row">
          <Field label={t('svc.limits.requestMb')}>
            <Input type="number" min={1} max={256} value={request} onChange={(event) => setRequest(event.target.value)} />
          </Field>
          <Field label={t('svc.limits.pictureMp')}>
            <Input type="number" min={0.1} max={100} step="any" value={picture} onChange={(event) => setPicture(event.target.value)} />
          </Field>
        </div>
        <div>
          <Plain
            loading={change.isPending}
            onClick={() =>
              change.mutate(() =>
                unwrap(
                  api.PATCH('/v1/services/{service}', {
                    params: { path: { service: service.name } },
                    body: {
                      limits: {
                        ...now,
                        rate_per_second: number(rate),
                        concurrency: number(open),
                        queue: Number(queue),
                        deadline_seconds: Number(deadline),
                        max_request_mb: Number(request),
                        max_picture_megapixels: Number(picture),
                      },
                    },
                  }),
                ),
              )
            }
          >
            {t('svc.save')}
          </Plain>
        </div>
      </div>
    </Card>
  );
}

function Keep({ service }: { service: Service }) {
  const { t } = useText();
  const datasets = useQuery(datasetsQuery({ limit: 200 }));
  const keep = service.keep;
  const [on, setOn] = useState(keep != null);
  const [dataset, setDataset] = useState(keep?.dataset ?? '');
  const [share, setShare] = useState(String((keep?.share ?? 1) * 100));
  const [most, setMost] = useState(String(keep?.most ?? 1000));
  const [days, setDays] = useState(String(keep?.days ?? 30));
  const change = useChange(service.name);
  return (
    <Card title={t('service.keeps')}>
      <div className="sg-stack">
        <Check label={t('svc.keep.on')} checked={on} onChange={() => setOn(!on)} />
        {on && (
          <>
            <Field label={t('svc.keep.dataset')} hint={t('svc.keep.hint')}>
              <Select value={dataset} onChange={(event) => setDataset(event.target.value)}>
                <option value="">-</option>
                {datasets.data?.items.map((item) => (
                  <option key={item.id} value={item.id}>
                    {item.name}
                  </option>
                ))}
              </Select>
            </Field>
            <div className="sg-row">
              <Field label={t('svc.keep.share')}>
                <Input type="number" min={0.1} max={100} step="any" value={share} onChange={(event) => setShare(event.target.value)} />
              </Field>
              <Field label={t('svc.keep.most')}>
                <Input type="number" min={1} value={most} onChange={(event) => setMost(event.target.value)} />
              </Field>
              <Field label={t('svc.keep.days')}>
                <Input type="number" min={1} value={days} onChange={(event) => setDays(event.target.value)} />
              </Field>
            </div>
          </>
        )}
        <div>
          <Plain
            loading={change.isPending}
            why={on && dataset === '' ? t('svc.keep.choose') : null}
            onClick={() =>
              change.mutate(() =>
                unwrap(
                  api.PATCH('/v1/services/{service}', {
                    params: { path: { service: service.name } },
                    body: { keep: on ? { dataset, share: Number(share) / 100, most: Number(most), days: Number(days) } : null },
                  }),
                ),
              )
            }
          >
            {t('svc.save')}
          </Plain>
        </div>
      </div>
    </Card>
  );
}
