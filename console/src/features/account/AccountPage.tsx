import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { api, unwrap } from '../../shared/api/client';
import { activityQuery } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useSession, type Session } from '../../shared/session/session';
import { Card, Facts } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { TokenCard } from '../../shared/ui/Tokens';
import { Ledger } from './Ledger';
import { NewPassword } from './SignIn';

/** What belongs to the person who is signed in. */
export default function AccountPage() {
  const { t } = useText();
  const session = useSession();
  const { tab = 'profile' } = useParams();
  if (!session) return null;
  const tabs = ['profile', 'tokens', ...(session.money ? ['ledger'] : [])];
  return (
    <Page title={t('shell.pages.account')} tab={t(`accounts.tabs.${tab}`)}>
      <nav className="sg-tabs" aria-label={t('shell.pages.account')}>
        {tabs.map((name) => (
          <Link key={name} to={`/account/${name}`} aria-current={tab === name ? 'page' : undefined}>
            {t(`accounts.tabs.${name}`)}
          </Link>
        ))}
      </nav>
      {tab === 'tokens' ? <Tokens /> : tab === 'ledger' && session.money ? <Ledger session={session} /> : <Profile session={session} />}
    </Page>
  );
}

function Tokens() {
  const { t } = useText();
  return (
    <TokenCard
      title={t('accounts.tabs.tokens')}
      text={t('accounts.tokensText')}
      queryKey={['tokens']}
      list={() => unwrap(api.GET('/v1/account/tokens'))}
      create={(name, days) => unwrap(api.POST('/v1/account/tokens', { body: { name, days } }))}
      revoke={(token) => unwrap(api.DELETE('/v1/account/tokens/{token}', { params: { path: { token } } }))}
    />
  );
}

function Profile({ session }: { session: Session }) {
  const { t } = useText();
  const activity = useQuery(activityQuery());
  const health = useQuery({ queryKey: ['health'], queryFn: () => unwrap(api.GET('/v1/health')) });
  return (
    <div className="sg-two">
      <Card title={t('accounts.person')}>
        <Facts
          items={[
            [t('signin.name'), session.name],
            [t('accounts.role'), session.role ? t(`session.roles.${session.role}`) : '-'],
            [t('account.access'), t(session.login ? 'accounts.many' : 'account.single')],
          ]}
        />
        {session.login && session.entrance === 'session' && (
          <div style={{ marginTop: 16, maxWidth: 400 }}>
            <NewPassword name={session.name ?? ''} />
          </div>
        )}
      </Card>
      <div className="sg-stack">
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
                ]}
              />
            )}
          </Loaded>
        </Card>
      </div>
    </div>
  );
}
