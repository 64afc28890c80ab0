import { useQuery } from '@tanstack/react-query';
import { specsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Card } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { SpecTable } from '../../shared/ui/SpecTable';
import type { SectionProps } from './TaskForm';

export function ResourceSection({ draft, set, errors }: SectionProps) {
  const { t } = useText();
  const specs = useQuery(specsQuery());
  return (
    <Card title={t('form.resources')} id="resources">
      <div data-field="spec" className="sg-stack-s">
        <Loaded query={specs}>{(page) => <SpecTable specs={page.items} value={draft.spec} onChange={(spec) => set({ spec })} />}</Loaded>
        {errors.spec && <div className="sg-error sg-small">{errors.spec}</div>}
      </div>
    </Card>
  );
}
