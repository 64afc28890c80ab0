import type { Schemas } from '../api/client';
import { useText } from '../i18n';
import { count } from '../format/format';

const THEMES = { error: 'danger', warning: 'warning', note: 'default' } as const;

/** What a check noticed: errors first, each with where it is and what happens to it. */
export function Findings({ items, action }: { items: Schemas['FindingOut'][]; action?: (finding: Schemas['FindingOut']) => React.ReactNode }) {
  const { t } = useText();
  if (items.length === 0) return null;
  return (
    <ul style={{ listStyle: 'none', margin: 0, padding: 0 }} className="sg-stack-s">
      {items.map((finding, index) => (
        <li key={index} className="sg-row" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
          <span className="sg-tag" data-theme={THEMES[finding.severity]}>
            {t(`finding.${finding.severity}`)}
            {finding.count > 1 && ` × ${count(finding.count)}`}
          </span>
          <span className="sg-grow">
            {finding.message} {finding.outcome && <span className="sg-secondary">{finding.outcome}</span>}
            {finding.file && (
              <div className="sg-mono sg-secondary" style={{ overflowWrap: 'anywhere' }}>
                {finding.file}
                {finding.line !== null && `:${finding.line}`}
              </div>
            )}
          </span>
          {action?.(finding)}
        </li>
      ))}
    </ul>
  );
}
