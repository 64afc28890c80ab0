import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Chip } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Pager } from '../../shared/ui/Pager';
import { compareQuery, type Dataset } from './queries';

type Change = Schemas['SampleChange'];
const KINDS: readonly Change['kind'][] = ['added', 'removed', 'annotation', 'picture', 'part'];

/** What differs between two states: how many samples of each kind, labels that grew or shrank, and the samples. */
export function Compare({ dataset, a, b }: { dataset: Dataset; a: number; b: number | undefined }) {
  const { t } = useText();
  const [kind, setKind] = useState<Change['kind']>();
  const [offset, setOffset] = useState(0);
  const query = useQuery(compareQuery(dataset.name, dataset.revision, a, b, kind, offset));
  return (
    <Loaded query={query}>
      {(found) => {
        const differing = KINDS.reduce((sum, item) => sum + (found.counts[item] ?? 0), 0);
        if (differing === 0) return <p>{t('versions.equal', { count: count(found.counts.same) })}</p>;
        return (
          <div className="sg-stack">
            <div className="sg-row" role="group" aria-label={t('versions.kinds')}>
              {KINDS.filter((item) => found.counts[item]).map((item) => (
                <Chip
                  key={item}
                  on={item === kind}
                  onClick={() => {
                    setKind(item === kind ? undefined : item);
                    setOffset(0);
                  }}
                >
                  {t(`versions.kind.${item}`)} <span className="sg-figures">{count(found.counts[item])}</span>
                </Chip>
              ))}
              <span className="sg-secondary sg-figures">{t('versions.same', { count: count(found.counts.same) })}</span>
            </div>
            {found.labels.length > 0 && (
              <div className="sg-table-box">
                <table className="sg-table sg-tight" style={{ maxWidth: 560 }}>
                  <thead>
                    <tr>
                      <th>{t(dataset.scenario === 'ocr' ? 'labels.field' : 'labels.label')}</th>
                      <th className="sg-num">{`v${a}`}</th>
                      <th className="sg-num">{b === undefined ? t('versions.draft') : `v${b}`}</th>
                      <th className="sg-num">{t('versions.difference')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {found.labels.map((row) => (
                      <tr key={row.label}>
                        <td style={{ overflowWrap: 'anywhere' }}>{row.label}</td>
                        <td className="sg-num">{count(row.before)}</td>
                        <td className="sg-num">{count(row.after)}</td>
                        <td className="sg-num">{`${row.after > row.before ? '+' : '−'}${count(Math.abs(row.after - row.before))}`}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <div className="sg-table-box">
              <table className="sg-table sg-tight">
                <thead>
                  <tr>
                    <th>{t('versions.sample')}</th>
                    <th>{t('versions.change')}</th>
                    <th>{t('versions.before')}</th>
                    <th>{t('versions.after')}</th>
                  </tr>
                </thead>
                <tbody>
                  {found.changes.map((change) => (
                    <tr key={change.path}>
                      <td style={{ overflowWrap: 'anywhere' }}>{change.path}</td>
                      <td style={{ whiteSpace: 'nowrap' }}>{t(`versions.kind.${change.kind}`)}</td>
                      <td>{before(change, change.kind === 'part' ? change.part_before : null, change.before, t)}</td>
                      <td>{before(change, change.kind === 'part' ? change.part_after : null, change.after, t)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <Pager offset={offset} limit={50} total={found.total} onChange={setOffset} />
          </div>
        );
      }}
    </Loaded>
  );
}

function before(change: Change, part: string | null | undefined, labels: readonly string[] | undefined, t: ReturnType<typeof useText>['t']) {
  if (change.kind === 'part') return t(`samples.parts.${part ?? 'none'}`);
  return labels?.length ? labels.join(', ') : '-';
}
