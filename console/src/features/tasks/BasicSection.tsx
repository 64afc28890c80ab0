import { useState } from 'react';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Alert, Card, Check, Facts, Field, Group, Input } from '../../shared/ui/kit';
import { withScenario } from './form';
import type { SectionProps } from './TaskForm';

export function BasicSection({ draft, set, errors, copied, nameError, nameFree }: SectionProps & { copied?: number; nameError: string | null; nameFree: boolean }) {
  const { t } = useText();
  const scenarios = useScenarioNames();
  const [dropped, setDropped] = useState<string[]>([]);
  return (
    <Card title={t('form.basic')} id="basic">
      <div className="sg-stack">
        {draft.from ? (
          <Facts
            items={[
              [t('form.versionOf'), draft.from],
              [t('form.scenario'), scenarios.name(draft.scenario)],
              [t('form.startsFrom'), `v${copied ?? 1}`],
            ]}
          />
        ) : (
          <>
            <div data-field="name">
              <Field label={t('form.name')} hint={nameFree ? `✓ ${t('form.nameFree')}` : t('form.nameHint')} error={nameError ?? errors.name}>
                <Input className="sg-wide" value={draft.name} maxLength={60} autoComplete="off" required onChange={(event) => set({ name: event.target.value })} />
              </Field>
            </div>
            <div data-field="scenario">
              <Group label={t('form.scenario')} help={t('form.scenarioHelp')}>
                {scenarios.items.map((item) => (
                  <Check
                    key={item.id}
                    kind="radio"
                    name="scenario"
                    checked={draft.scenario === item.id}
                    onChange={() => {
                      const [next, lost] = withScenario(draft, item.id, item.presets.length === 1 ? item.presets[0]!.parameters : {});
                      set(next);
                      setDropped(lost);
                    }}
                    label={item.name}
                  />
                ))}
              </Group>
            </div>
            {dropped.length > 0 && (
              <Alert theme="info" title={t('form.dropped', { what: dropped.map((part) => t(`form.parts.${part}`)).join(t('common.listJoin')) })} />
            )}
            <Field label={t('form.description')} error={errors.description}>
              <Input className="sg-wide" value={draft.description} maxLength={2000} onChange={(event) => set({ description: event.target.value })} />
            </Field>
            <Field label={t('form.tags')} hint={t('form.tagsHint')} error={errors.tags}>
              <Input className="sg-wide" value={draft.tags} onChange={(event) => set({ tags: event.target.value })} />
            </Field>
          </>
        )}
      </div>
    </Card>
  );
}
