import { useQuery } from '@tanstack/react-query';
import { api, unwrap } from '../../../shared/api/client';
import { useText } from '../../../shared/i18n';
import { Card, Chip, Empty } from '../../../shared/ui/kit';
import { Loaded } from '../../../shared/ui/Loaded';
import { When } from '../../../shared/ui/Time';
import { useAddress } from '../../../shared/ui/useAddress';

/** What happened, the latest first; the same thing again raises the count. */
export function Events({ service }: { service: string }) {
  const { t } = useText();
  const [kind, setKind] = useAddress('kind');
  const severity = kind === 'warning' ? 'warning' : undefined;
  const query = useQuery({
    queryKey: ['service', service, 'events', kind],
    queryFn: () => unwrap(api.GET('/v1/services/{service}/events', { params: { path: { service }, query: { severity, limit: 500 } } })),
    refetchInterval: 5000,
  });
  return (
    <Card
      title={t('svc.tabs.events')}
      extra={
        <Chip on={severity !== undefined} onClick={() => setKind(severity ? '' : 'warning')}>
          {t('svc.event.onlyWarnings')}
        </Chip>
      }
    >
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={severity ? t('svc.event.noWarnings') : t('svc.event.none')} />
          ) : (
            <div className="sg-table-box">
              <table className="sg-table">
                <thead>
                  <tr>
                    <th>{t('svc.event.kind')}</th>
                    <th>{t('svc.event.what')}</th>
                    <th>{t('svc.event.instance')}</th>
                    <th className="sg-num">{t('svc.event.count')}</th>
                    <th>{t('svc.event.first')}</th>
                    <th>{t('svc.event.last')}</th>
                  </tr>
                </thead>
                <tbody>
                  {page.items.map((item) => (
                    <tr key={item.id}>
                      <td style={{ whiteSpace: 'nowrap', color: item.severity === 'warning' ? 'var(--sg-warning-text)' : undefined }}>
                        {t(`svc.severity.${item.severity}`)}
                      </td>
                      <td style={{ overflowWrap: 'anywhere' }}>{item.message}</td>
                      <td>{item.instance ? <code>{item.instance.slice(-6)}</code> : '-'}</td>
                      <td className="sg-num">{item.count}</td>
                      <td>
                        <When at={item.first_at} />
                      </td>
                      <td>
                        <When at={item.last_at} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}
