import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../../shared/api/client';
import { datasetQuery } from '../../../shared/api/queries';
import { duration, score } from '../../../shared/format/format';
import { useText } from '../../../shared/i18n';
import { useScenarioNames } from '../../../shared/scenario/useScenario';
import { Card, CopyButton, Facts } from '../../../shared/ui/kit';
import { When } from '../../../shared/ui/Time';

type Service = Schemas['ServiceOut'];

export function Info({ service }: { service: Service }) {
  const { t, language } = useText();
  const scenarios = useScenarioNames();
  const address = `${window.location.origin}/v1/services/${encodeURIComponent(service.name)}/predict`;
  const limits = service.limits;
  return (
    <div className="sg-two">
      <Card>
        <Facts
          items={[
            [
              t('service.address'),
              <span className="sg-row">
                <code style={{ overflowWrap: 'anywhere' }}>{address}</code>
                <CopyButton text={address} />
              </span>,
            ],
            [t('tasks.scenario'), scenarios.name(service.scenario)],
            [t('tasks.spec'), service.spec],
            [t('service.instances'), `${service.ready_count} / ${service.instance_count}`],
            [t('service.threshold'), service.threshold === null ? t('svc.recommended') : score(service.threshold)],
            [t('service.maxRun'), service.max_run_seconds === null ? t('form.noLimit') : duration(service.max_run_seconds, language)],
            [t('svc.createdBy'), service.created_by],
            [t('tasks.created'), <When at={service.created_at} />],
            [t('service.started'), <When at={service.started_at} />],
            [t('service.stops'), <When at={service.expires_at} />],
            [t('service.ended'), <When at={service.ended_at} />],
            ['ID', <code>{service.id}</code>],
          ]}
        />
      </Card>
      <Card title={t('svc.limits.title')}>
        <Facts
          items={[
            [t('svc.limits.rate'), limits.rate_per_second == null ? t('form.noLimit') : t('svc.perSecond', { count: limits.rate_per_second })],
            [t('svc.limits.concurrency'), limits.concurrency == null ? t('form.noLimit') : String(limits.concurrency)],
            [t('svc.limits.queue'), String(limits.queue)],
            [t('svc.limits.deadline'), duration(limits.deadline_seconds, language)],
            [t('svc.limits.request'), `${limits.max_request_mb} MiB`],
            [t('svc.limits.picture'), t('svc.megapixels', { count: limits.max_picture_megapixels })],
            [t('service.keeps'), <Kept service={service} />],
          ]}
        />
      </Card>
    </div>
  );
}

function Kept({ service }: { service: Service }) {
  const { t } = useText();
  const keep = service.keep;
  const dataset = useQuery({ ...datasetQuery(keep?.dataset ?? ''), enabled: keep != null });
  if (keep == null) return <>{t('service.keepsNothing')}</>;
  const share = `${Math.round(keep.share * 1000) / 10}`;
  return <>{t('svc.keeps', { dataset: dataset.data?.name ?? keep.dataset, share, most: keep.most, days: keep.days })}</>;
}
