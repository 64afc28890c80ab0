import { Link, useParams } from 'react-router';
import { useText } from '../../shared/i18n';
import { useWhyNot } from '../../shared/session/session';
import { Empty } from '../../shared/ui/kit';
import { Page } from '../../shared/ui/Page';
import { AuditLog } from './AuditLog';
import { SpecsCard } from './SpecsCard';
import { UsersCard } from './UsersCard';

const TABS = { users: UsersCard, specs: SpecsCard, audit: AuditLog } as const;

export default function AdminPage() {
  const { t } = useText();
  const why = useWhyNot()('admin');
  const { tab = 'users' } = useParams();
  const known = tab in TABS ? (tab as keyof typeof TABS) : 'users';
  const Shown = TABS[known];
  return (
    <Page title={t('shell.pages.admin')} tab={t(`admin.tabs.${known}`)}>
      {why ? (
        <Empty title={why} />
      ) : (
        <>
          <nav className="sg-tabs" aria-label={t('shell.pages.admin')}>
            {Object.keys(TABS).map((name) => (
              <Link key={name} to={`/admin/${name}`} aria-current={known === name ? 'page' : undefined}>
                {t(`admin.tabs.${name}`)}
              </Link>
            ))}
          </nav>
          <Shown />
        </>
      )}
    </Page>
  );
}
