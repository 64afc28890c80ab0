import { useQuery } from '@tanstack/react-query';
import { activityQuery } from '../../shared/api/queries';
import { api, unwrap } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Facts } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';

/** Without accounts the page says whose machine this is and what it can give. */
export default function AccountPage() {
  const { t } = useText();
  const activity = useQuery(activityQuery());
  const health = useQuery({ queryKey: ['health'], queryFn: () => unwrap(api.GET('/v1/health')) });
  return (
    <Page title={t('shell.pages.account')}>
      <div className="sg-two">
        <Card title={t('account.machine')}>
          <Loaded query={activity}>
            {(data) => (
              <Facts
                items={[
                  [t('account.cores'), count(data.capacity.cpu_total)],
                  [t('account.free'), count(data.capacity.cpu_free)],
                  [t('account.memory'), `${(data.capacity.memory_total_mb / 1024).toFixed(1)} GB`],
                  [t('account.runs'), count(data.runs.length)],
                  [t('account.services'), count(data.services)],
                ]}
              />
            )}
          </Loaded>
        </Card>
        <Card title={t('account.about')}>
          <Loaded query={health}>
            {(data) => (
              <Facts
                items={[
                  [t('account.version'), data.version],
                  [t('account.api'), <a href="/docs">{t('account.docs')}</a>],
                  [t('account.access'), t('account.single')],
                ]}
              />
            )}
          </Loaded>
        </Card>
      </div>
    </Page>
  );
}
