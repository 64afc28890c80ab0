import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { Card, Empty, Input, Plain, Select, TextButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { When } from '../../shared/ui/Time';

type Entry = Schemas['AuditView'];

/** Who did what, with before and after; refused calls too. */
export function AuditLog() {
  const { t } = useText();
  const [q, setQ] = useState('');
  const [user, setUser] = useState('');
  const [result, setResult] = useState('');
  const [cursors, setCursors] = useState<string[]>([]);
  const [open, setOpen] = useState<number | null>(null);
  const filters = { q: q || undefined, user: user || undefined, refused: result === '' ? undefined : result === 'refused' };
  const query = { ...filters, cursor: cursors.at(-1), limit: 50 };
  const entries = useQuery({ queryKey: ['audit', query], queryFn: () => unwrap(api.GET('/v1/audit', { params: { query } })), placeholderData: keepPreviousData });
  const link = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== undefined).map(([key, value]) => [key, String(value)]));
  const first = (set: (value: string) => void) => (event: { target: { value: string } }) => {
    set(event.target.value);
    setCursors([]);
  };
  return (
    <Card
      title={t('admin.tabs.audit')}
      extra={
        <>
          <a href={`/v1/audit/export?format=csv&${link}`} download>
            {t('accounts.csv')}
          </a>
          <a href={`/v1/audit/export?format=jsonl&${link}`} download>
            {t('admin.jsonl')}
          </a>
        </>
      }
    >
      <div className="sg-row" style={{ marginBottom: 16 }}>
        <Input type="search" aria-label={t('admin.auditFind')} placeholder={t('admin.auditFind')} value={q} onChange={first(setQ)} />
        <Input aria-label={t('admin.who')} placeholder={t('admin.who')} value={user} onChange={first(setUser)} />
        <Select aria-label={t('admin.result')} value={result} onChange={first(setResult)}>
          <option value="">{t('admin.anyResult')}</option>
          <option value="done">{t('admin.done')}</option>
          <option value="refused">{t('admin.refused')}</option>
        </Select>
      </div>
      <Loaded query={entries}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('admin.noAudit')} />
          ) : (
            <>
              <div className="sg-table-box">
                <table className="sg-table">
                  <thead>
                    <tr>
                      <th>{t('accounts.time')}</th>
                      <th>{t('admin.who')}</th>
                      <th>{t('admin.action')}</th>
                      <th>{t('admin.target')}</th>
                      <th>{t('admin.result')}</th>
                      <th>{t('admin.from')}</th>
                      <th>{t('common.actions')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((entry) => (
                      <Fragment key={entry.id}>
                        <tr>
                          <td>
                            <When at={entry.at} />
                          </td>
                          <td>{entry.user || '-'}</td>
                          <td>
                            <code>{entry.action}</code>
                          </td>
                          <td>{entry.target || '-'}</td>
                          <td>{entry.status < 400 ? t('admin.done') : `${entry.status} ${entry.code ?? ''}`}</td>
                          <td>{entry.address}</td>
                          <td>
                            {entry.changes.length > 0 && (
                              <TextButton aria-expanded={open === entry.id} onClick={() => setOpen(open === entry.id ? null : entry.id)}>
                                {t('admin.changes', { count: entry.changes.length })}
                              </TextButton>
                            )}
                          </td>
                        </tr>
                        {open === entry.id && (
                          <tr>
                            <td colSpan={7}>
                              <Changes entry={entry} />
                            </td>
                          </tr>
                        )}
                      </Fragment>
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
  );
}

function Changes({ entry }: { entry: Entry }) {
  const { t } = useText();
  return (
    <div className="sg-stack-s">
      {entry.changes.map((change, index) => {
        const names = [...new Set([...Object.keys(change.before ?? {}), ...Object.keys(change.after ?? {})])];
        return (
          <table key={index} className="sg-table sg-tight">
            <caption className="sg-small" style={{ textAlign: 'left' }}>{`${change.kind} ${change.name ?? change.id}`}</caption>
            <thead>
              <tr>
                <th>{t('admin.field')}</th>
                <th>{t('admin.before')}</th>
                <th>{t('admin.after')}</th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td>{shown(change.before?.[name])}</td>
                  <td>{shown(change.after?.[name])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      })}
    </div>
  );
}

const shown = (value: unknown) => (value === undefined || value === null ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value));
