import type { Schemas } from '../../shared/api/client';
import { count, duration } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Card, Facts, Plain, Primary, TextButton } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { seconds, type Draft } from './form';
import { focusField } from './TaskForm';

export type Problem = { field: string; text: string };

type Props = {
  draft: Draft;
  check: Schemas['DataCheckOut'] | undefined;
  scenario: string | undefined;
  problems: Problem[];
  sending: boolean;
  error: unknown;
  onCancel: () => void;
};

/** What will be learnt, for how long, and what still stands in the way. */
export function Summary({ draft, check, scenario, problems, sending, error, onCancel }: Props) {
  const { t, language } = useText();
  const limit = seconds(draft);
  const warnings = check?.findings.filter((finding) => finding.severity === 'warning').length ?? 0;
  return (
    <aside className="sg-sticky" aria-label={t('form.summary')}>
      <Card title={t('form.summary')}>
        <div className="sg-stack">
          <Facts
            items={[
              [t('form.scenario'), scenario ?? '-'],
              [t('form.parts.train'), check ? t('form.pictureCount', { count: check.train, shown: count(check.train) }) : '-'],
              [t('form.parts.validation'), check ? t('form.pictureCount', { count: check.validation, shown: count(check.validation) }) : '-'],
              [t('form.parts.test'), check ? t('form.pictureCount', { count: check.test, shown: count(check.test) }) : '-'],
              [t('form.labels'), draft.labels ? count(draft.labels.length) : check ? count(check.labels.length) : '-'],
              [t('form.maxTime'), limit === null ? t('form.noLimit') : limit === undefined ? '-' : duration(limit, language)],
              [t('form.spec'), draft.spec || t('form.specAuto')],
            ]}
          />
          {problems.length > 0 && (
            <Alert theme="info" title={t('form.todo')}>
              <ul className="sg-todo">
                {problems.map((problem) => (
                  <li key={problem.text}>
                    <TextButton onClick={() => focusField(problem.field)}>{problem.text}</TextButton>
                  </li>
                ))}
              </ul>
            </Alert>
          )}
          {problems.length === 0 && warnings > 0 && (
            <Alert theme="warning" title={t('form.toLookAt', { count: warnings })} extra={<TextButton onClick={() => focusField('check')}>{t('form.show')}</TextButton>} />
          )}
          {error !== null && <ProblemBox error={error} />}
          <div className="sg-row">
            <Primary type="submit" loading={sending} why={problems[0]?.text}>
              {t('form.submit')}
            </Primary>
            <Plain onClick={onCancel}>{t('common.cancel')}</Plain>
          </div>
        </div>
      </Card>
    </aside>
  );
}
