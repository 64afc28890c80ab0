import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import type { Session } from '../../shared/session/session';
import { balanceQuery } from '../../shared/session/money';
import { Card, Empty, Figure, Plain, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { When } from '../../shared/ui/Time';

const KINDS = ['top_up', 'freeze', 'settle', 'release'] as const;
const SIGN = { top_up: '+', freeze: '', settle: '−', release: '' } as const;

/** Balance and every movement; entries never change, so they have no actions. */
export function Ledger({ session }: { session: Session }) {
  const { t } = useText();
  const [kind, setKind] = useState('');
  const [cursors, setCursors] = useState<string[]>([]);
  const cursor = cursors.at(-1);
  const query = { kind: (kind || undefined) as (typeof KINDS)[number] | undefined, cursor, limit: 50 };
  const balance = useQuery(balanceQuery());
  const entries = useQuery({
    queryKey: ['ledger', query],
    queryFn: () => unwrap(api.GET('/v1/account/ledger', { params: { query } })),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="sg-stack">
      <Card>
        <Loaded query={balance}>
          {(data) => (
            <div className="sg-row" style={{ gap: 48 }}>
              <Figure label={t('accounts.balance')} value={`${data.balance} ${session.currency}`} />
              <Figure label={t('accounts.frozen')} value={data.frozen} help={t('accounts.frozenHelp')} />
              <Figure label={t('accounts.free')} value={data.free} note={t('accounts.topUpNote')} />
            </div>
          )}
        </Loaded>
      </Card>
      <Card
        title={t('accounts.entries')}
        extra={
          <>
            <Select
              aria-label={t('accounts.kind')}
              value={kind}
              onChange={(event) => {
                setKind(event.target.value);
                setCursors([]);
              }}
            >
              <option value="">{t('accounts.anyKind')}</option>
              {KINDS.map((item) => (
                <option key={item} value={item}>
                  {t(`accounts.kinds.${item}`)}
                </option>
              ))}
            </Select>
            <a href={`/v1/account/ledger.csv${kind ? `?kind=${kind}` : ''}`} download>
              {t('accounts.csv')}
            </a>
          </>
        }
      >
        <Loaded query={entries}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={t('accounts.noEntries')} text={t('accounts.noEntriesText')} />
            ) : (
              <>
                <div className="sg-table-box">
                  <table className="sg-table">
                    <thead>
                      <tr>
                        <th>{t('accounts.time')}</th>
                        <th>{t('accounts.kind')}</th>
                        <th className="sg-num">{t('accounts.amount')}</th>
                        <th>{t('accounts.for')}</th>
                        <th className="sg-num">{t('accounts.frozenAfter')}</th>
                        <th className="sg-num">{t('accounts.balanceAfter')}</th>
                        <th>{t('accounts.note')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {page.items.map((entry) => (
                        <tr key={entry.number}>
                          <td>
                            <When at={entry.at} />
                          </td>
                          <td>{t(`accounts.kinds.${entry.kind}`)}</td>
                          <td className="sg-num">{`${SIGN[entry.kind]}${entry.amount}`}</td>
                          <td>{entry.subject ? <Subject kind={entry.resource_kind} name={entry.subject} /> : '-'}</td>
                          <td className="sg-num">{entry.frozen_after}</td>
                          <td className="sg-num">{entry.balance_after}</td>
                          <td className="sg-secondary">{entry.by ? `${entry.by} ${entry.note}` : entry.note || '-'}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
                <div className="sg-row" style={{ marginTop: 16 }}>
                  <Plain size="small" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
                    {t('accounts.newer')}
                  </Plain>
                  <Plain size="small" disabled={!page.next} onClick={() => page.next && setCursors([...cursors, page.next])}>
                    {t('accounts.older')}
                  </Plain>
                  <span className="sg-secondary">{t('accounts.total', { count: page.total })}</span>
                </div>
              </>
            )
          }
        </Loaded>
      </Card>
    </div>
  );
}

function Subject({ kind, name }: { kind: string | null; name: string }) {
  if (kind === 'service') return <Link to={`/services/${encodeURIComponent(name)}`}>{name}</Link>;
  const parts = / v(\d+)$/.exec(name);
  if (!parts) return <>{name}</>;
  return <Link to={`/tasks/${encodeURIComponent(name.slice(0, parts.index))}/${parts[1]}`}>{name}</Link>;
}
