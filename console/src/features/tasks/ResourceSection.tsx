import { useQuery } from '@tanstack/react-query';
import { specsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Card } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Quote } from '../../shared/ui/Quote';
import { SpecTable } from '../../shared/ui/SpecTable';
import type { SectionProps } from './TaskForm';

/** What the server takes where nothing is chosen. */
const usual = (specs: { id: string; available: boolean }[]) => {
  const below = specs.slice(0, specs.findIndex((spec) => spec.id === '2C4G') + 1).filter((spec) => spec.available);
  return below.at(-1)?.id ?? '';
};

export function ResourceSection({ draft, set, errors }: SectionProps) {
  const { t } = useText();
  const specs = useQuery(specsQuery());
  return (
    <Card title={t('form.resources')} id="resources">
      <div data-field="spec" className="sg-stack-s">
        <Loaded query={specs}>{(page) => <SpecTable specs={page.items} value={draft.spec} onChange={(spec) => set({ spec })} />}</Loaded>
        <Quote spec={draft.spec || usual(specs.data?.items ?? [])} />
        {errors.spec && <div className="sg-error sg-small">{errors.spec}</div>}
      </div>
    </Card>
  );
}
