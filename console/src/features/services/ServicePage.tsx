import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { serviceQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Alert, Primary, Skeleton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ServiceActions, TimeLeft } from '../../shared/ui/ServiceBits';
import { ShareButton } from '../../shared/ui/ShareButton';
import { StatusTag } from '../../shared/ui/Status';
import { AccessTab } from './AccessTab';
import { Events } from './detail/Events';
import { Info } from './detail/Info';
import { Instances } from './detail/Instances';
import { Logs } from './detail/Logs';
import { Scaling } from './detail/Scaling';
import { Updates } from './detail/Updates';
import { Versions } from './detail/Versions';

const Monitoring = lazy(() => import('./detail/Monitoring'));
const TABS = ['info', 'versions', 'instances', 'monitoring', 'events', 'logs', 'updates', 'access', 'scaling'] as const;

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

function Detail({ service, crumbs }: { service: Schemas['ServiceOut']; crumbs: { text: string; to?: string }[] }) {
  const { t } = useText();
  const go = useNavigate();
  const { tab = 'info' } = useParams();
  const path = `/services/${encodeURIComponent(service.name)}`;
  const answers = service.status === 'running' || service.status === 'sleeping';
  return (
    <Page
      title={service.name}
      crumbs={crumbs}
      tag={
        <>
          <StatusTag about="service" code={service.status} />
          <TimeLeft service={service} />
          {service.updating && service.status === 'running' && <span className="sg-secondary sg-small">{t('svc.updating')}</span>}
        </>
      }
      actions={
        <>
          <ShareButton kind="service" name={service.name} />
          <ServiceActions service={service} onDeleted={() => void go('/services')} />
          <Primary why={answers ? null : t('service.testWaits')} onClick={() => void go(`${path}/test`)}>
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
            {t(`svc.tabs.${name}`)}
          </Link>
        ))}
      </nav>
      {tab === 'info' && <Info service={service} />}
      {tab === 'versions' && <Versions service={service} key={service.revision} />}
      {tab === 'instances' && <Instances service={service} />}
      {tab === 'monitoring' && (
        <Suspense fallback={<Skeleton />}>
          <Monitoring service={service} />
        </Suspense>
      )}
      {tab === 'events' && <Events service={service.name} />}
      {tab === 'logs' && <Logs service={service} />}
      {tab === 'updates' && <Updates service={service} />}
      {tab === 'access' && <AccessTab service={service.name} />}
      {tab === 'scaling' && <Scaling service={service} key={service.revision} />}
    </Page>
  );
}
