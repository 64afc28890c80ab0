import { useQuery } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Link, NavLink, Outlet, ScrollRestoration, useNavigation } from 'react-router';
import { DataBaseIcon, HomeIcon, ViewListIcon, ServerIcon, UserIcon } from 'tdesign-icons-react';
import { activityQuery } from '../shared/api/queries';
import type { Language } from '../shared/format/format';
import { changeLanguage, LANGUAGES, useText } from '../shared/i18n';
import { setMode, useMode, type Mode } from '../shared/theme/mode';
import { Select, Skeleton } from '../shared/ui/kit';

const MENU = [
  { to: '/', key: 'home', Icon: HomeIcon, end: true },
  { to: '/tasks', key: 'tasks', Icon: ViewListIcon, end: false },
  { to: '/datasets', key: 'datasets', Icon: DataBaseIcon, end: false },
  { to: '/services', key: 'services', Icon: ServerIcon, end: false },
  { to: '/account', key: 'account', Icon: UserIcon, end: false },
] as const;

export function Shell() {
  const { t } = useText();
  const navigation = useNavigation();
  return (
    <div className="sg-shell">
      <a className="sg-skip" href="#main">
        {t('shell.skip')}
      </a>
      <Link to="/" className="sg-brand">
        <img src="/favicon.svg" alt="" width={24} height={24} />
        <span translate="no">{t('shell.product')}</span>
      </Link>
      <header className="sg-header">
        <span className="sg-grow">
          <Activity />
        </span>
        <Preferences />
      </header>
      <nav className="sg-menu" aria-label={t('shell.menu')}>
        <ul>
          {MENU.map(({ to, key, Icon, end }) => (
            <li key={to}>
              <NavLink to={to} end={end}>
                <Icon size={18} />
                {t(`shell.pages.${key}`)}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" className="sg-main" aria-busy={navigation.state === 'loading'}>
        <Suspense fallback={<Skeleton />}>
          <Outlet />
        </Suspense>
      </main>
      <ScrollRestoration />
    </div>
  );
}

/** What goes on now, with the way to it. */
function Activity() {
  const { t } = useText();
  const { data } = useQuery(activityQuery());
  if (!data) return null;
  const run = data.runs[0];
  const job = data.imports[0];
  return (
    <span className="sg-row sg-small sg-secondary" aria-live="polite">
      {run && (
        <Link to={`/tasks/${encodeURIComponent(run.task)}/${run.version}`}>
          {t('shell.runs', { count: data.runs.length })}
        </Link>
      )}
      {job && <Link to={`/imports/${job.id}`}>{t('shell.imports', { count: data.imports.length })}</Link>}
      {data.services > 0 && <Link to="/services">{t('shell.services', { count: data.services })}</Link>}
      {!run && !job && data.services === 0 && t('shell.idle')}
    </span>
  );
}

function Preferences() {
  const { t, language } = useText();
  const { mode } = useMode();
  return (
    <span className="sg-row">
      <Select aria-label={t('shell.language')} value={language} onChange={(event) => changeLanguage(event.target.value as Language)}>
        {LANGUAGES.map((item) => (
          <option key={item} value={item} lang={item}>
            {t(`shell.languages.${item}`)}
          </option>
        ))}
      </Select>
      <Select aria-label={t('shell.theme')} value={mode} onChange={(event) => setMode(event.target.value as Mode)}>
        {(['system', 'light', 'dark'] as const).map((item) => (
          <option key={item} value={item}>
            {t(`shell.themes.${item}`)}
          </option>
        ))}
      </Select>
    </span>
  );
}
