import { api, unwrap, type Schemas } from '../../../shared/api/client';
import { count } from '../../../shared/format/format';
import { useText } from '../../../shared/i18n';
import { Card, Empty, Plain } from '../../../shared/ui/kit';
import { StatusTag } from '../../../shared/ui/Status';
import { When } from '../../../shared/ui/Time';
import { useChange } from './useChange';

export function Instances({ service }: { service: Schemas['ServiceOut'] }) {
  const { t } = useText();
  const change = useChange(service.name);
  if (service.instances.length === 0)
    return <Empty title={service.status === 'sleeping' ? t('svc.asleep') : t('service.noInstances')} />;
  const over = ['stopped', 'create_failed', 'arrears_stopped'].includes(service.status);
  return (
    <Card>
      <div className="sg-table-box">
        <table className="sg-table">
          <thead>
            <tr>
              <th>{t('service.id')}</th>
              <th>{t('task.version')}</th>
              <th>{t('tasks.status')}</th>
              <th className="sg-num">{t('svc.cpu')}</th>
              <th className="sg-num">{t('svc.memory')}</th>
              <th className="sg-num">{t('service.restarts')}</th>
              <th>{t('service.reason')}</th>
              <th>{t('tasks.created')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {service.instances.map((item) => (
              <tr key={item.id}>
                <td>
                  <code>{item.id}</code>
                </td>
                <td>{`v${item.version}`}</td>
                <td>
                  <StatusTag about="instance" code={item.status} />
                </td>
                <td className="sg-num">{item.cpu === null ? '-' : item.cpu.toFixed(2)}</td>
                <td className="sg-num">{item.memory_mb === null ? '-' : `${count(Math.round(item.memory_mb))} MiB`}</td>
                <td className="sg-num">{item.restarts}</td>
                <td style={{ maxWidth: 320, overflowWrap: 'anywhere' }}>{item.reason ?? '-'}</td>
                <td>
                  <When at={item.created_at} relative />
                </td>
                <td className="sg-num">
                  {!over && (
                    <Plain
                      size="small"
                      disabled={change.isPending}
                      why={item.outdated || item.status === 'draining' ? t('svc.replaced') : null}
                      onClick={() =>
                        change.mutate(() =>
                          unwrap(api.POST('/v1/services/{service}/instances/{instance}/restart', { params: { path: { service: service.name, instance: item.id } } })),
                        )
                      }
                    >
                      {t('svc.restart')}
                    </Plain>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
