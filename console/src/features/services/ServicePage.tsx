import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { serviceQuery } from '../../shared/api/queries';
import { duration, moment, percent, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Alert, Card, CopyButton, Empty, Facts, Input, Primary } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ServiceActions, TimeLeft } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';

type Service = Schemas['ServiceOut'];
const TABS = ['info', 'versions', 'instances', 'logs'] as const;

export default function ServicePage() {
  const { t } = useText();
  const { service = '' } = useParams();
  const query = useQuery(serviceQuery(service));
  return (
    <Loaded query={query}>
      {(data) => <Detail service={data} crumbs={[{ text: t('shell.pages.services'), to: '/services' }, { text: data.name }]} />}
    </Loaded>
  );
}

function Detail({ service, crumbs }: { service: Service; crumbs: { text: string; to?: string }[] }) {
  const { t } = useText();
  const go = useNavigate();
  const { tab = 'info' } = useParams();
  const path = `/services/${encodeURIComponent(service.name)}`;
  return (
    <Page
      title={service.name}
      crumbs={crumbs}
      tag={
        <>
          <StatusTag about="service" code={service.status} />
          <TimeLeft service={service} />
        </>
      }
      actions={
        <>
          <ServiceActions service={service} onDeleted={() => void go('/services')} />
          <Primary disabled={service.status !== 'running'} title={service.status === 'running' ? undefined : t('service.testWaits')} onClick={() => void go(`${path}/test`)}>
            {t('service.test')}
          </Primary>
        </>
      }
    >
      {service.error && (
        <Alert theme="danger" title={service.error.message}>
          {service.error.action}
        </Alert>
      )}
      <nav className="sg-tabs" aria-label={service.name}>
        {TABS.map((name) => (
          <Link key={name} to={`${path}/${name}`} aria-current={tab === name ? 'page' : undefined}>
            {t(`service.tabs.${name}`)}
          </Link>
        ))}
      </nav>
      {tab === 'info' && <Info service={service} />}
      {tab === 'versions' && <Versions service={service} />}
      {tab === 'instances' && <Instances service={service} />}
      {tab === 'logs' && <Logs service={service.name} />}
    </Page>
  );
}

function Info({ service }: { service: Service }) {
  const { t, language } = useText();
  const scenarios = useScenarioNames();
  const address = `${window.location.origin}/v1/services/${encodeURIComponent(service.name)}/predict`;
  return (
    <Card>
      <Facts
        items={[
          [t('service.address'), <span className="sg-row"><code>{address}</code><CopyButton text={address} /></span>],
          [t('tasks.scenario'), scenarios.name(service.scenario)],
          [t('tasks.spec'), service.spec],
          [t('service.threshold'), score(service.threshold)],
          [t('service.maxRun'), service.max_run_seconds === null ? t('form.noLimit') : duration(service.max_run_seconds, language)],
          [t('tasks.created'), moment(service.created_at, language)],
          [t('service.started'), moment(service.started_at, language)],
          [t('service.stops'), service.expires_at === null ? '-' : moment(service.expires_at, language)],
          [t('service.ended'), moment(service.ended_at, language)],
          [t('service.keeps'), t('service.keepsNothing')],
          ['ID', <code>{service.id}</code>],
        ]}
      />
    </Card>
  );
}

function Versions({ service }: { service: Service }) {
  const { t, language } = useText();
  return (
    <Card>
      <table className="sg-table">
        <thead>
          <tr>
            <th>{t('task.version')}</th>
            <th>{t('service.model')}</th>
            <th className="sg-num">{t('service.modelScore')}</th>
            <th className="sg-num">{t('service.weight')}</th>
          </tr>
        </thead>
        <tbody>
          {service.versions.map((item) => (
            <tr key={item.number}>
              <td>v{item.number}</td>
              <td>
                <Link to={`/tasks/${encodeURIComponent(item.task)}/${item.task_version}`}>{`${item.task} v${item.task_version}`}</Link>
              </td>
              <td className="sg-num">{percent(item.score, language)}</td>
              <td className="sg-num">{`${item.weight} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Instances({ service }: { service: Service }) {
  const { t, language } = useText();
  if (service.instances.length === 0) return <Empty title={t('service.noInstances')} />;
  return (
    <Card>
      <table className="sg-table">
        <thead>
          <tr>
            <th>{t('service.id')}</th>
            <th>{t('tasks.status')}</th>
            <th className="sg-num">{t('service.restarts')}</th>
            <th>{t('service.reason')}</th>
            <th>{t('tasks.created')}</th>
          </tr>
        </thead>
        <tbody>
          {service.instances.map((item) => (
            <tr key={item.id}>
              <td>
                <code>{item.id}</code>
              </td>
              <td>
                <StatusTag about="instance" code={item.status} />
              </td>
              <td className="sg-num">{item.restarts}</td>
              <td>{item.reason ?? '-'}</td>
              <td>{moment(item.created_at, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Logs({ service }: { service: string }) {
  const { t } = useText();
  const [q, setQ] = useState('');
  const query = useQuery({
    queryKey: ['service', service, 'logs', q],
    queryFn: () => unwrap(api.GET('/v1/services/{service}/logs', { params: { path: { service }, query: { q, limit: 2000 } } })),
    refetchInterval: 5000,
  });
  return (
    <Card extra={<Input type="search" aria-label={t('log.search')} placeholder={t('log.search')} value={q} onChange={(event) => setQ(event.target.value)} />} title={t('log.title')}>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <p className="sg-secondary">{t('log.none')}</p>
          ) : (
            <div className="sg-log" tabIndex={0} role="log" aria-live="off" aria-label={t('log.title')}>
              {page.items.map((line, index) => (
                <div key={index} className="sg-log-line" data-level={line.level}>
                  <span className="sg-secondary">{line.at?.slice(11, 23) ?? ''}</span>
                  <span className="sg-secondary">{line.instance.slice(-6)}</span>
                  <span>{line.message}</span>
                </div>
              ))}
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}
