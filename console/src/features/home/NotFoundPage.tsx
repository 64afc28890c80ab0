import { Link, useLocation } from 'react-router';
import { useText } from '../../shared/i18n';
import { Empty } from '../../shared/ui/kit';
import { Page } from '../../shared/ui/Page';

export default function NotFoundPage() {
  const { t } = useText();
  const { pathname } = useLocation();
  return (
    <Page title={t('notFound.title')}>
      <Empty title={t('notFound.text', { path: pathname })}>
        <div className="sg-row">
          <Link to="/tasks">{t('shell.pages.tasks')}</Link>
          <Link to="/datasets">{t('shell.pages.datasets')}</Link>
          <Link to="/services">{t('shell.pages.services')}</Link>
        </div>
      </Empty>
    </Page>
  );
}
