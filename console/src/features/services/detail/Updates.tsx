import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { api, unwrap, type Schemas } from '../../../shared/api/client';
import { useText } from '../../../shared/i18n';
import { Card, Dialog, Empty, Plain, Primary, TextButton } from '../../../shared/ui/kit';
import { Loaded } from '../../../shared/ui/Loaded';
import { When } from '../../../shared/ui/Time';
import { useChange } from './useChange';

type Update = Schemas['ServiceUpdateView'];

/** Who changed what when; the settings of any record can be restored. */
export function Updates({ service }: { service: Schemas['ServiceOut'] }) {
  const { t } = useText();
  const [raw, setRaw] = useState<number | null>(null);
  const [back, setBack] = useState<Update | null>(null);
  const change = useChange(service.name, () => setBack(null));
  const query = useQuery({
    queryKey: ['service', service.name, 'updates', service.revision],
    queryFn: () => unwrap(api.GET('/v1/services/{service}/updates', { params: { path: { service: service.name }, query: { limit: 200 } } })),
    placeholderData: (before) => before,
  });
  return (
    <Card title={t('svc.tabs.updates')}>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('svc.update.none')} />
          ) : (
            <div className="sg-table-box">
              <table className="sg-table">
                <thead>
                  <tr>
                    <th>{t('svc.update.record')}</th>
                    <th>{t('svc.update.time')}</th>
                    <th>{t('svc.update.who')}</th>
                    <th>{t('svc.update.action')}</th>
                    <th>{t('svc.update.changes')}</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {page.items.map((item) => (
                    <Fragment key={item.number}>
                      <tr>
                        <td>{`r${item.number}`}</td>
                        <td>
                          <When at={item.at} />
                        </td>
                        <td>{item.actor}</td>
                        <td>{t(`svc.action.${item.action}`)}</td>
                        <td>{item.action === 'publish' ? t('svc.update.first') : <Changes update={item} />}</td>
                        <td className="sg-num" style={{ whiteSpace: 'nowrap' }}>
                          <TextButton onClick={() => setRaw(raw === item.number ? null : item.number)}>{t('svc.update.raw')}</TextButton>
                          <Plain size="small" why={item.number === service.revision ? t('svc.update.present') : null} onClick={() => setBack(item)}>
                            {t('svc.update.rollBack')}
                          </Plain>
                        </td>
                      </tr>
                      {raw === item.number && (
                        <tr className="sg-sub">
                          <td colSpan={6}>
                            <pre className="sg-small" style={{ overflow: 'auto', maxHeight: 360, margin: 0 }}>
                              {JSON.stringify(item.settings, null, 2)}
                            </pre>
                          </td>
                        </tr>
                      )}
                    </Fragment>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      <Dialog
        open={back !== null}
        onClose={() => setBack(null)}
        title={t('svc.update.backTitle', { record: back?.number ?? 0 })}
        footer={
          <>
            <Plain onClick={() => setBack(null)}>{t('common.cancel')}</Plain>
            <Primary
              loading={change.isPending}
              onClick={() =>
                change.mutate(() =>
                  unwrap(api.POST('/v1/services/{service}/updates/{number}/rollback', { params: { path: { service: service.name, number: back!.number } } })),
                )
              }
            >
              {t('svc.update.rollBack')}
            </Primary>
          </>
        }
      >
        <p>{t('svc.update.backText')}</p>
        {back && (
          <ul>
            {back.settings.versions.map((version) => (
              <li key={version.number}>{`v${version.number}: ${version.weight} %`}</li>
            ))}
            <li>{`${back.settings.spec} × ${back.settings.instances}`}</li>
          </ul>
        )}
      </Dialog>
    </Card>
  );
}

const shown = (value: unknown): string => (value === null || value === undefined ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value));

function Changes({ update }: { update: Update }) {
  return (
    <ul style={{ margin: 0, paddingInlineStart: 16 }}>
      {update.changes.map((change) => (
        <li key={change.field} style={{ overflowWrap: 'anywhere' }}>
          <code>{change.field}</code> {change.before === null ? '' : <del className="sg-secondary">{shown(change.before)}</del>} → <ins style={{ textDecoration: 'none' }}>{shown(change.after)}</ins>
        </li>
      ))}
    </ul>
  );
}
