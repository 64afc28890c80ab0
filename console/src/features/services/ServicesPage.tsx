import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { servicesQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Card, Empty, Input, Plain, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { ServiceActions, TimeLeft } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';
import { useAddress } from '../../shared/ui/useAddress';

const LIMIT = 20;
const STATES = ['creating', 'starting', 'running', 'abnormal', 'stopping', 'stopped', 'create_failed'] as const;

export default function ServicesPage() {
  const { t } = useText();
  const go = useNavigate();
  const scenarios = useScenarioNames();
  const [q, setQ] = useAddress('q');
  const [status, setStatus] = useAddress('status');
  const [offset, setOffset] = useAddress('offset', '0');
  const query = useQuery(
    servicesQuery({ q: q || undefined, status: status ? [status as (typeof STATES)[number]] : undefined, limit: LIMIT, offset: Number(offset) }),
  );
  return (
    <Page title={t('shell.pages.services')}>
      <Card>
        <div className="sg-row" style={{ marginBottom: 16 }}>
          <Input type="search" value={q} placeholder={t('service.search')} aria-label={t('service.search')} onChange={(event) => setQ(event.target.value)} />
          <Select aria-label={t('tasks.status')} value={status} onChange={(event) => setStatus(event.target.value)}>
            <option value="">{t('service.anyStatus')}</option>
            {STATES.map((item) => (
              <option key={item} value={item}>
                {t(`status.service.${item}`)}
              </option>
            ))}
          </Select>
        </div>
        <Loaded query={query}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={q || status ? t('tasks.noMatch') : t('service.none')} text={q || status ? undefined : t('service.noneText')}>
                {!q && !status && <Plain onClick={() => void go('/tasks')}>{t('home.allTasks')}</Plain>}
              </Empty>
            ) : (
              <>
                <div className="sg-table-box">
                  <table className="sg-table">
                    <thead>
                      <tr>
                        <th>{t('tasks.name')}</th>
                        <th>{t('tasks.scenario')}</th>
                        <th>{t('tasks.status')}</th>
                        <th>{t('service.model')}</th>
                        <th className="sg-num">{t('service.instances')}</th>
                        <th>{t('tasks.spec')}</th>
                        <th className="sg-num">{t('service.left')}</th>
                        <th>{t('common.actions')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {page.items.map((service) => (
                        <tr key={service.id}>
                          <td>
                            <Link to={`/services/${encodeURIComponent(service.name)}`}>{service.name}</Link>
                          </td>
                          <td>{scenarios.name(service.scenario)}</td>
                          <td>
                            <StatusTag about="service" code={service.status} title={service.error?.message} />
                          </td>
                          <td>{service.versions.map((item) => `${item.task} v${item.task_version}`).join(', ')}</td>
                          <td className="sg-num">{`${service.ready_count}/${service.instance_count}`}</td>
                          <td>{service.spec}</td>
                          <td className="sg-num">
                            <TimeLeft service={service} />
                          </td>
                          <td>
                            <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
                              <Plain size="small" disabled={service.status !== 'running'} onClick={() => void go(`/services/${encodeURIComponent(service.name)}/test`)}>
                                {t('service.test')}
                              </Plain>
                              <ServiceActions service={service} />
                            </span>
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
                <Pager offset={Number(offset)} limit={LIMIT} total={page.total} onChange={(next) => setOffset(String(next))} />
              </>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}
