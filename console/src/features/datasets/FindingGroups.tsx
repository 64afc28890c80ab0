import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { TextButton } from '../../shared/ui/kit';

type Finding = Schemas['FindingOut'];
const THEMES = { error: 'danger', warning: 'warning', note: 'default' } as const;
const SHOWN = 20;

export type FindingGroup = { code: string; severity: Finding['severity']; count: number; first: Finding; items: Finding[] };

/** Findings of one kind together, the gravest first, with how many there are. */
export function groupFindings(items: Finding[]): FindingGroup[] {
  const groups = new Map<string, FindingGroup>();
  for (const finding of items) {
    const group = groups.get(finding.code);
    if (!group) groups.set(finding.code, { code: finding.code, severity: finding.severity, count: finding.count, first: finding, items: [finding] });
    else {
      group.count += finding.count;
      group.items.push(finding);
    }
  }
  const order = ['error', 'warning', 'note'];
  return [...groups.values()].sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity) || other.count - one.count);
}

/** What a check noticed, one line a kind; each opens the files that it is about, and can be downloaded whole. */
export function FindingGroups({ items, download }: { items: Finding[]; download?: (code: string) => string }) {
  const { t } = useText();
  const [open, setOpen] = useState<string | null>(null);
  return (
    <ul className="sg-findings">
      {groupFindings(items).map((group) => {
        const named = group.items.filter((finding) => finding.file !== null);
        return (
          <li key={group.code}>
            <div className="sg-row" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
              <span className="sg-tag" data-theme={THEMES[group.severity]}>
                {t(`finding.${group.severity}`)}
                <span className="sg-figures"> × {count(group.count)}</span>
              </span>
              <span className="sg-grow" style={{ overflowWrap: 'anywhere' }}>
                {group.first.message} <span className="sg-secondary">{group.first.outcome}</span>
              </span>
              <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
                {named.length > 0 && (
                  <TextButton aria-expanded={open === group.code} onClick={() => setOpen(open === group.code ? null : group.code)}>
                    {t('findings.list')}
                  </TextButton>
                )}
                {download && (
                  <a href={download(group.code)} download className="sg-small">
                    {t('findings.download')}
                  </a>
                )}
              </span>
            </div>
            {open === group.code && (
              <ul className="sg-mono sg-findings-files">
                {named.slice(0, SHOWN).map((finding, index) => (
                  <li key={index}>
                    {finding.file}
                    {finding.line !== null && `:${finding.line}`}
                    {finding.message !== group.first.message && <span className="sg-secondary"> {finding.message}</span>}
                  </li>
                ))}
                {group.count > SHOWN && <li className="sg-secondary">{t('findings.more', { count: group.count - Math.min(SHOWN, named.length) })}</li>}
              </ul>
            )}
          </li>
        );
      })}
    </ul>
  );
}
