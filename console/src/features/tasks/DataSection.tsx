import type { UseQueryResult } from '@tanstack/react-query';
import type { Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Check, Group, Input, LinkButton, Plain } from '../../shared/ui/kit';
import { Findings } from '../../shared/ui/Findings';
import { ProblemBox } from '../../shared/ui/Loaded';
import { DatasetPicks } from './DatasetPicks';
import type { Part } from './form';
import { LabelChoice } from './LabelChoice';
import type { SectionProps } from './TaskForm';

type DataCheck = Schemas['DataCheckOut'];

export function DataSection({ draft, set, errors, check }: SectionProps & { check: UseQueryResult<DataCheck> }) {
  const { t } = useText();
  const found = draft.train.length > 0 ? check.data : undefined;
  const part = (name: 'validation' | 'test', least: number) => {
    const value = draft[name];
    const change = (next: Partial<Part>) => set({ [name]: { ...value, ...next } });
    return (
      <div data-field={name}>
        <Group label={t(`form.${name}`)} help={t(`form.${name}Help`)}>
          <Check kind="radio" name={name} checked={value.by === 'percent'} onChange={() => change({ by: 'percent' })} label={t(`form.${name}Percent`)} />
          <Check kind="radio" name={name} checked={value.by === 'datasets'} onChange={() => change({ by: 'datasets' })} label={t('form.ownDatasets')} />
        </Group>
        {value.by === 'percent' ? (
          <div className="sg-row">
            <Input
              type="number"
              aria-label={t(`form.${name}Share`)}
              aria-invalid={errors[`${name}_percent`] ? true : undefined}
              min={least}
              max={50}
              style={{ width: 96 }}
              value={value.percent}
              onChange={(event) => change({ percent: Math.max(least, Math.min(50, Math.round(Number(event.target.value)))) })}
            />
            <span className="sg-secondary">{t('form.percentOfTrain')}</span>
          </div>
        ) : (
          <DatasetPicks label={t(`form.${name}`)} scenario={draft.scenario} value={value.datasets} error={errors[name]} onChange={(datasets) => change({ datasets })} />
        )}
      </div>
    );
  };
  return (
    <Card title={t('form.data')} id="data">
      <div className="sg-stack">
        <div data-field="train">
          <Group label={t('form.train')} help={t('form.trainHelp')} plain>
            <DatasetPicks
              label={t('form.train')}
              scenario={draft.scenario}
              value={draft.train}
              error={errors.train}
              onChange={(train) => set({ train, labels: null, labelMap: {} })}
            />
          </Group>
        </div>
        {part('validation', 1)}
        {part('test', 0)}
        <Check label={t('form.useMarks')} checked={draft.useMarks} onChange={() => set({ useMarks: !draft.useMarks })} />
        {found && found.labels.length > 0 && <LabelChoice draft={draft} labels={found.labels} set={set} />}
        {draft.train.length > 0 && check.isError && <ProblemBox error={check.error} retry={() => void check.refetch()} />}
        {draft.train.length > 0 && (
          <section className="sg-stack-s" data-field="check" tabIndex={-1} aria-live="polite" aria-busy={check.isPlaceholderData}>
            <h3>{t('form.check')}</h3>
            {!found && check.isFetching && <p className="sg-secondary">{t('form.checking')}</p>}
            {found && (
              <>
                <p className="sg-figures">
                  {t('form.checkCounts', {
                    train: count(found.train),
                    validation: count(found.validation),
                    test: count(found.test),
                    unlabelled: count(found.unlabelled),
                  })}
                </p>
                {found.findings.length === 0 && <p className="sg-secondary">✓ {t('form.checkClean')}</p>}
                <Findings items={found.findings} action={(finding) => <Fix finding={finding} labels={found.labels} draft={draft} set={set} />} />
                {draft.excludeDuplicates && (
                  <Check label={t('form.excludeDuplicates')} checked onChange={() => set({ excludeDuplicates: false })} />
                )}
              </>
            )}
          </section>
        )}
      </div>
    </Card>
  );
}

/** What can be done about a finding right here. */
function Fix({ finding, labels, draft, set }: { finding: Schemas['FindingOut']; labels: DataCheck['labels']; draft: SectionProps['draft']; set: SectionProps['set'] }) {
  const { t } = useText();
  const first = draft.train[0]?.split('@')[0];
  if (finding.code.startsWith('duplicates_across'))
    return (
      <Plain size="small" onClick={() => set({ excludeDuplicates: true })}>
        {t('form.fix.exclude')}
      </Plain>
    );
  if (finding.label !== null && labels.length > 1 && (draft.labels === null || draft.labels.includes(finding.label)))
    return (
      <Plain size="small" onClick={() => set({ labels: (draft.labels ?? labels.map((item) => item.label)).filter((label) => label !== finding.label) })}>
        {t('form.fix.leaveOut')}
      </Plain>
    );
  if ((finding.code === 'unlabelled_samples' || finding.code === 'nothing_labelled') && first)
    return (
      <LinkButton small to={`/datasets/${encodeURIComponent(first)}/samples?state=unlabelled`} target="_blank">
        {t('form.fix.label')}
      </LinkButton>
    );
  return null;
}
