import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { datasetsQuery, specsQuery, taskVersionQuery } from '../../shared/api/queries';
import { count, duration } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Alert, Card, Check, Chip, Facts, Field, Group, Input, Plain, Primary, Select } from '../../shared/ui/kit';
import { Findings } from '../../shared/ui/Findings';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { SchemaForm, type Schema } from '../../shared/ui/SchemaForm';
import { taskPath } from '../../shared/ui/TaskHeader';
import { body, choice, EMPTY, fromVersion, keepDraft, keptDraft, seconds, type Draft } from './form';
import { useLater } from './useLater';

export default function NewTaskPage() {
  const { t } = useText();
  const [params] = useSearchParams();
  const from = params.get('from');
  const number = Number(params.get('version') ?? '1');
  const version = useQuery({ ...taskVersionQuery(from ?? '', number), enabled: from !== null });
  const title = from ? t('form.newVersionOf', { name: from }) : t('form.title');
  const crumbs = [{ text: t('shell.pages.tasks'), to: '/tasks' }, { text: title }];
  return (
    <Page title={title} crumbs={crumbs}>
      {from ? (
        <Loaded query={version}>{(data) => <Form start={fromVersion(data)} keep={false} />}</Loaded>
      ) : (
        <Form start={startOf(params)} preset={params.get('preset')} keep />
      )}
    </Page>
  );
}

/** An address that names something wins over what was kept; otherwise the kept draft is taken up again. */
function startOf(params: URLSearchParams): Draft {
  const kept = keptDraft() ?? EMPTY;
  const scenario = params.get('scenario');
  const dataset = params.get('dataset');
  if (scenario === null && dataset === null) return kept;
  const changed = scenario !== null && scenario !== kept.scenario;
  const base = changed ? { ...kept, train: [], test: [], labels: null, parameters: {} } : kept;
  return { ...base, scenario: scenario ?? base.scenario, train: dataset ? [dataset] : base.train };
}

function Form({ start, keep, preset = null }: { start: Draft; keep: boolean; preset?: string | null }) {
  const { t, language } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const scenarios = useScenarioNames();
  const [draft, setDraft] = useState(start);
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  useEffect(() => {
    if (keep) keepDraft(draft);
  }, [draft, keep]);

  const scenario = scenarios.items.find((item) => item.id === draft.scenario);
  // The catalogue entry that was picked brings its own settings; the person may change them afterwards.
  const picked = scenario?.presets.find((item) => item.id === preset);
  const [taken, setTaken] = useState(false);
  if (picked && !taken) {
    setTaken(true);
    set({ parameters: { ...draft.parameters, ...picked.parameters } });
  }
  const settled = useLater(draft, 300);
  const name = useQuery({
    queryKey: ['name-check', settled.name],
    queryFn: () => unwrap(api.GET('/v1/tasks/name-check', { params: { query: { name: settled.name.trim() } } })),
    enabled: !draft.from && settled.name.trim() !== '',
  });
  const chosen = choice(settled);
  const check = useQuery({
    queryKey: ['data-check', chosen, language],
    queryFn: () => unwrap(api.POST('/v1/tasks/check', { body: chosen })),
    enabled: chosen.scenario !== '' && chosen.train.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const create = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/tasks', { body: body(draft) })),
    onSuccess: (made) => {
      keepDraft(null);
      void client.invalidateQueries({ queryKey: ['tasks'] });
      void go(taskPath(made.task, made.version.number, 'training'));
    },
  });
  const errors = create.error instanceof ApiError ? create.error.fields : {};
  const limit = seconds(draft);
  const blocked = check.data?.findings.find((finding) => finding.severity === 'error');
  const missing = [
    !draft.from && draft.name.trim() === '' && t('form.missing.name'),
    name.data && !name.data.available && !draft.from && name.data.message,
    draft.scenario === '' && t('form.missing.scenario'),
    draft.train.length === 0 && t('form.missing.train'),
    limit === undefined && t('form.missing.time'),
    blocked?.message,
  ].filter((item): item is string => typeof item === 'string');

  return (
    <form
      className="sg-side"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <div className="sg-stack">
        <Card title={t('form.basic')}>
          <div className="sg-stack">
            {!draft.from && (
              <Field
                label={t('form.name')}
                hint={name.data?.available ? t('form.nameFree') : t('form.nameHint')}
                error={(name.data && !name.data.available && name.data.message) || errors.name}
              >
                <Input value={draft.name} maxLength={60} autoComplete="off" onChange={(event) => set({ name: event.target.value })} />
              </Field>
            )}
            <Group label={t('form.scenario')} help={t('form.scenarioHelp')}>
              {scenarios.items.map((item) => (
                <Check
                  key={item.id}
                  kind="radio"
                  name="scenario"
                  checked={draft.scenario === item.id}
                  disabled={draft.from !== null}
                  onChange={() => set({ scenario: item.id, train: [], test: [], labels: null, parameters: {} })}
                  label={item.name}
                />
              ))}
            </Group>
            <Field label={t('form.description')}>
              <Input value={draft.description} onChange={(event) => set({ description: event.target.value })} />
            </Field>
            <Field label={t('form.tags')} hint={t('form.tagsHint')}>
              <Input value={draft.tags} onChange={(event) => set({ tags: event.target.value })} />
            </Field>
          </div>
        </Card>

        <Card title={t('form.data')}>
          <div className="sg-stack">
            <Datasets label={t('form.train')} help={t('form.trainHelp')} draft={draft} value={draft.train} error={errors.train} onChange={(train) => set({ train, labels: null })} />
            <Field label={t('form.validation')} help={t('form.validationHelp')} hint={t('form.validationHint')}>
              <Input type="number" min={1} max={50} value={draft.validationPercent} onChange={(event) => set({ validationPercent: Number(event.target.value) })} />
            </Field>
            <Datasets label={t('form.test')} help={t('form.testHelp')} draft={draft} value={draft.test} error={errors.test} onChange={(test) => set({ test })} optional />
            {check.data && check.data.labels.length > 0 && (
              <Labels draft={draft} labels={check.data.labels} onChange={(labels) => set({ labels })} />
            )}
            {check.isError && <ProblemBox error={check.error} retry={() => void check.refetch()} />}
            {check.data && (
              <div className="sg-stack-s" aria-live="polite">
                <h3>{t('form.check')}</h3>
                <p>
                  {t('form.checkCounts', {
                    train: count(check.data.train),
                    validation: count(check.data.validation),
                    test: count(check.data.test),
                    unlabelled: count(check.data.unlabelled),
                  })}
                </p>
                <Findings items={check.data.findings} />
              </div>
            )}
          </div>
        </Card>

        <Card title={t('form.model')}>
          <div className="sg-stack">
            <Field label={t('form.maxTime')} help={t('form.maxTimeHelp')} error={limit === undefined ? t('form.missing.time') : errors.max_seconds}>
              <TimeInput draft={draft} set={set} />
            </Field>
            <Group label={t('form.preference')} help={t('form.preferenceHelp')}>
              {(['fastest', 'balanced', 'most_accurate'] as const).map((item) => (
                <Check key={item} kind="radio" name="preference" checked={draft.preference === item} onChange={() => set({ preference: item })} label={t(`form.preferences.${item}`)} />
              ))}
            </Group>
            <Field label={t('form.target')} help={t('form.targetHelp')} hint={t('form.targetHint')} error={errors.target_score}>
              <Input type="number" min={1} max={100} step="any" value={draft.target} placeholder={t('form.none')} onChange={(event) => set({ target: event.target.value })} />
            </Field>
            {scenario && Object.keys((scenario.parameters as Schema).properties ?? {}).length > 0 && (
              <details>
                <summary>{t('form.advanced')}</summary>
                <div style={{ marginTop: 16 }}>
                  <SchemaForm schema={scenario.parameters as Schema} values={draft.parameters} errors={errors} onChange={(parameters) => set({ parameters })} />
                </div>
              </details>
            )}
          </div>
        </Card>

        <Card title={t('form.resources')}>
          <Specs value={draft.spec} onChange={(spec) => set({ spec })} />
        </Card>
      </div>

      <div className="sg-sticky sg-stack">
        <Card title={t('form.summary')}>
          <div className="sg-stack">
            <Facts
              items={[
                [t('form.scenario'), scenario?.name ?? '-'],
                [t('form.pictures'), check.data ? t('form.pictureCounts', { train: count(check.data.train), validation: count(check.data.validation), test: count(check.data.test) }) : '-'],
                [t('form.labels'), draft.labels ? count(draft.labels.length) : check.data ? count(check.data.labels.length) : '-'],
                [t('form.maxTime'), limit === null ? t('form.noLimit') : duration(limit, language)],
              ]}
            />
            {create.isError && <ProblemBox error={create.error} />}
            {missing.length > 0 && (
              <Alert theme="info" title={t('form.todo')}>
                <ul style={{ margin: 0, paddingLeft: 20 }}>
                  {missing.map((item) => (
                    <li key={item}>{item}</li>
                  ))}
                </ul>
              </Alert>
            )}
            <div className="sg-row">
              <Primary type="submit" disabled={missing.length > 0} loading={create.isPending} title={missing[0]}>
                {t('form.submit')}
              </Primary>
              <Plain
                onClick={() => {
                  keepDraft(null);
                  void go('/tasks');
                }}
              >
                {t('common.cancel')}
              </Plain>
            </div>
          </div>
        </Card>
      </div>
    </form>
  );
}

function TimeInput({ draft, set, ...rest }: { draft: Draft; set: (part: Partial<Draft>) => void; id?: string }) {
  const { t } = useText();
  return (
    <div className="sg-row">
      <Input {...rest} type="number" min={1} step="any" value={draft.unit === 'none' ? '' : draft.amount} disabled={draft.unit === 'none'} onChange={(event) => set({ amount: event.target.value })} />
      <Select aria-label={t('form.unit')} value={draft.unit} onChange={(event) => set({ unit: event.target.value as Draft['unit'] })}>
        <option value="min">{t('form.minutes')}</option>
        <option value="h">{t('form.hours')}</option>
        <option value="none">{t('form.noLimit')}</option>
      </Select>
    </div>
  );
}

function Datasets(props: { label: string; help: string; draft: Draft; value: string[]; error?: string; optional?: boolean; onChange: (value: string[]) => void }) {
  const { t } = useText();
  const go = useNavigate();
  const { data } = useQuery({ ...datasetsQuery({ scenario: props.draft.scenario, limit: 200 }), enabled: props.draft.scenario !== '' });
  const options = (data?.items ?? []).filter((item) => !props.value.some((name) => name.split('@')[0] === item.name));
  return (
    <div className="sg-stack-s">
      <Field label={props.label} help={props.help} error={props.error}>
        <Select className="sg-wide" value="" onChange={(event) => event.target.value && props.onChange([...props.value, event.target.value])}>
          <option value="">{props.draft.scenario === '' ? t('form.scenarioFirst') : props.optional ? t('form.addOptional') : t('form.addDataset')}</option>
          {options.map((item) => (
            <option key={item.id} value={item.name}>
              {t('form.datasetOption', { name: item.name, count: item.labelled_count, version: item.latest_version ?? 0 })}
            </option>
          ))}
        </Select>
      </Field>
      <div className="sg-row">
        {props.value.map((name) => (
          <Chip key={name} on aria-label={t('form.removeDataset', { name })} onClick={() => props.onChange(props.value.filter((other) => other !== name))}>
            {name} ×
          </Chip>
        ))}
        {data && data.total === 0 && (
          <Plain size="small" onClick={() => void go(`/datasets/new?scenario=${props.draft.scenario}`)}>
            {t('form.importFirst')}
          </Plain>
        )}
      </div>
    </div>
  );
}

function Labels(props: { draft: Draft; labels: { label: string; train: number }[]; onChange: (labels: string[] | null) => void }) {
  const { t } = useText();
  const all = props.labels.map((item) => item.label);
  const chosen = props.draft.labels ?? all;
  return (
    <Group label={t('form.labels')} help={t('form.labelsHelp')}>
      {props.labels.map((item) => (
        <Chip
          key={item.label}
          on={chosen.includes(item.label)}
          onClick={() => {
            const next = chosen.includes(item.label) ? chosen.filter((label) => label !== item.label) : [...chosen, item.label];
            if (next.length > 0) props.onChange(next.length === all.length ? null : next);
          }}
        >
          {item.label} <span className="sg-figures">{count(item.train)}</span>
        </Chip>
      ))}
    </Group>
  );
}

function Specs({ value, onChange }: { value: string; onChange: (spec: string) => void }) {
  const { t } = useText();
  const specs = useQuery(specsQuery());
  return (
    <Loaded query={specs}>
      {(page) => (
        <Group label={t('form.spec')} help={t('form.specHelp')}>
          <Check kind="radio" name="spec" checked={value === ''} onChange={() => onChange('')} label={t('form.specAuto')} />
          {page.items
            .filter((spec) => spec.available || spec.id === value)
            .map((spec) => (
              <Check
                key={spec.id}
                kind="radio"
                name="spec"
                checked={value === spec.id}
                disabled={!spec.available}
                title={spec.reason ?? undefined}
                onChange={() => onChange(spec.id)}
                label={t('form.specOption', { id: spec.id, cpu: spec.cpu, memory: spec.memory_mb / 1024 })}
              />
            ))}
        </Group>
      )}
    </Loaded>
  );
}
