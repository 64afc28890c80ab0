import type { Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Card, Check, Field, Group, Input, Select } from '../../shared/ui/kit';
import { SchemaForm, type Schema } from '../../shared/ui/SchemaForm';
import { seconds, type Draft } from './form';
import type { SectionProps } from './TaskForm';

export function ModelSection({ draft, set, errors, scenario }: SectionProps & { scenario: Schemas['ScenarioOut'] | undefined }) {
  const { t } = useText();
  const limit = seconds(draft);
  const target = draft.target === '' || (Number(draft.target) > 0 && Number(draft.target) <= 100);
  return (
    <Card title={t('form.model')} id="model">
      <div className="sg-stack">
        <div data-field="max_seconds">
          <Field label={t('form.maxTime')} help={t('form.maxTimeHelp')} hint={limit === null ? t('form.noLimitHint') : undefined} error={limit === undefined ? t('form.missing.time') : errors.max_seconds}>
            <TimeInput draft={draft} set={set} />
          </Field>
        </div>
        {scenario && <Extras key={scenario.id} scenario={scenario} draft={draft} set={set} />}
        <Group label={t('form.preference')} help={t('form.preferenceHelp')}>
          {(['fastest', 'balanced', 'most_accurate'] as const).map((item) => (
            <Check key={item} kind="radio" name="preference" checked={draft.preference === item} onChange={() => set({ preference: item })} label={t(`form.preferences.${item}`)} />
          ))}
        </Group>
        <div data-field="target_score">
          <Field label={t('form.target')} help={t('form.targetHelp')} hint={t('form.targetHint')} error={target ? errors.target_score : t('form.missing.target')}>
            <Input type="number" min={1} max={100} step="any" style={{ width: 160 }} value={draft.target} placeholder={t('form.none')} onChange={(event) => set({ target: event.target.value })} />
          </Field>
        </div>
        {scenario && <Advanced key={`${scenario.id}-advanced`} scenario={scenario} draft={draft} set={set} errors={errors} />}
      </div>
    </Card>
  );
}

type Own = { scenario: Schemas['ScenarioOut']; draft: Draft; set: SectionProps['set'] };

/** Settings that a scenario wants seen without opening the advanced ones. */
function Extras({ scenario, draft, set }: Own) {
  const { TaskFormExtras } = useScenarioParts(scenario.id);
  if (!TaskFormExtras) return null;
  return <TaskFormExtras schema={scenario.parameters as Schema} values={draft.parameters} onChange={(parameters) => set({ parameters })} />;
}

function Advanced({ scenario, draft, set, errors }: Own & { errors: Record<string, string> }) {
  const { t } = useText();
  const { formFields = [] } = useScenarioParts(scenario.id);
  const schema = scenario.parameters as Schema;
  const rest = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !formFields.includes(name)));
  const changed = Object.keys(draft.parameters).filter((name) => name in rest).length;
  if (Object.keys(rest).length === 0) return null;
  return (
    <details className="sg-details" open={Object.keys(errors).some((name) => name.startsWith('parameters')) || undefined} data-field="parameters">
      <summary>
        {t('form.advanced')} {changed > 0 && <span className="sg-tag">{t('form.changedCount', { count: changed })}</span>}
      </summary>
      <SchemaForm schema={{ ...schema, properties: rest }} values={draft.parameters} errors={errors} onChange={(parameters) => set({ parameters })} />
    </details>
  );
}

function TimeInput({ draft, set, ...rest }: { draft: Draft; set: SectionProps['set']; id?: string }) {
  const { t } = useText();
  return (
    <div className="sg-row">
      <Input {...rest} type="number" min={0} step="any" style={{ width: 120 }} disabled={draft.unit === 'none'} value={draft.unit === 'none' ? '' : draft.amount} onChange={(event) => set({ amount: event.target.value })} />
      <Select aria-label={t('form.unit')} value={draft.unit} onChange={(event) => set({ unit: event.target.value as Draft['unit'] })}>
        <option value="min">{t('form.minutes')}</option>
        <option value="h">{t('form.hours')}</option>
        <option value="none">{t('form.noLimit')}</option>
      </Select>
    </div>
  );
}
