import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Link, NavLink, Outlet, ScrollRestoration, useNavigate, useNavigation } from 'react-router';
import { DataBaseIcon, DesktopIcon, HomeIcon, MoonIcon, ServerIcon, SettingIcon, SunnyIcon, UserIcon, ViewListIcon } from 'tdesign-icons-react';
import { api, unwrap } from '../shared/api/client';
import type { Language } from '../shared/format/format';
import { changeLanguage, LANGUAGES, useText } from '../shared/i18n';
import { balanceQuery } from '../shared/session/money';
import { useKeepPreference, useSession } from '../shared/session/session';
import { setMode, useMode, type Mode } from '../shared/theme/mode';
import { Skeleton } from '../shared/ui/kit';
import { Menu } from '../shared/ui/Menu';
import { CRUMBS } from '../shared/ui/Page';
import { Activity } from './Activity';
import { UploadTray } from './UploadTray';

/** Automatic learning has two pages; the other entries stand alone. */
const MENU = [
  { key: 'learning', entries: [{ to: '/', key: 'home', Icon: HomeIcon, end: true }, { to: '/tasks', key: 'tasks', Icon: ViewListIcon }] },
  { key: null, entries: [{ to: '/services', key: 'services', Icon: ServerIcon }] },
  { key: null, entries: [{ to: '/datasets', key: 'datasets', Icon: DataBaseIcon }] },
  { key: null, entries: [{ to: '/account', key: 'account', Icon: UserIcon }] },
  { key: null, entries: [{ to: '/admin', key: 'admin', Icon: SettingIcon }] },
] as const;

export function Shell() {
  const { t } = useText();
  const navigation = useNavigation();
  const session = useSession();
  return (
    <div className="sg-shell">
      <a className="sg-skip" href="#main">
        {t('shell.skip')}
      </a>
      <header className="sg-top">
        <Link to="/" className="sg-brand" aria-label={t('shell.product')}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          <span translate="no">{t('shell.product')}</span>
        </Link>
        <div className="sg-header">
          <div id={CRUMBS} className="sg-grow" />
          <UploadTray />
          <Activity />
          {session?.money && <Free currency={session.currency} />}
          <Languages />
          <Themes />
          {session?.login && session.name && <Person name={session.name} />}
        </div>
      </header>
      <nav className="sg-menu" aria-label={t('shell.menu')}>
        {MENU.filter((group) => group.entries[0].to !== '/admin' || session?.role === 'admin').map((group, index) => (
          <div key={index}>
            {group.key && <div className="sg-menu-group">{t(`shell.groups.${group.key}`)}</div>}
            <ul>
              {group.entries.map(({ to, key, Icon, ...rest }) => (
                <li key={to}>
                  <NavLink to={to} end={'end' in rest} title={t(`shell.pages.${key}`)}>
                    <Icon size={18} />
                    <span>{t(`shell.pages.${key}`)}</span>
                  </NavLink>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <main id="main" className="sg-main" tabIndex={-1} aria-busy={navigation.state === 'loading'}>
        <Suspense fallback={<Skeleton />}>
          <Outlet />
        </Suspense>
      </main>
      {navigation.state === 'loading' && <div className="sg-loading" aria-hidden />}
      <ScrollRestoration />
    </div>
  );
}

function Languages() {
  const keep = useKeepPreference();
  const { t, language } = useText();
  return (
    <div className="sg-segments" role="group" aria-label={t('shell.language')}>
      {LANGUAGES.map((item: Language) => (
        <button key={item} type="button" lang={item} aria-pressed={item === language} title={t(`shell.languages.${item}`)} onClick={() => {
            changeLanguage(item);
            keep({ language: item });
          }}>
          {t(`shell.short.${item}`)}
        </button>
      ))}
    </div>
  );
}

const MODES = { system: DesktopIcon, light: SunnyIcon, dark: MoonIcon };

function Themes() {
  const keep = useKeepPreference();
  const { t } = useText();
  const { mode } = useMode();
  const Icon = MODES[mode];
  const choose = (item: Mode) => {
    setMode(item);
    keep({ theme: item });
  };
  return (
    <Menu
      label={`${t('shell.theme')}: ${t(`shell.themes.${mode}`)}`}
      items={(Object.keys(MODES) as Mode[]).map((item) => ({ text: `${item === mode ? '✓ ' : ''}${t(`shell.themes.${item}`)}`, onSelect: () => choose(item) }))}
    >
      <Icon size={18} />
    </Menu>
  );
}

/** What is free of the person's balance, with the way to the ledger. */
function Free({ currency }: { currency: string }) {
  const { t } = useText();
  const { data } = useQuery(balanceQuery());
  if (!data) return null;
  return (
    <Link to="/account/ledger" className="sg-small sg-figures">
      {t('session.balance', { free: data.free, currency })}
    </Link>
  );
}

function Person({ name }: { name: string }) {
  const { t } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: () => unwrap(api.DELETE('/v1/session')),
    // Nothing that this person has seen may stay for the next one.
    onSuccess: () => {
      client.clear();
      window.location.assign('/');
    },
  });
  return (
    <Menu
      label={t('session.menu', { name })}
      items={[
        { text: name, onSelect: () => void go('/account/profile') },
        { text: t('session.signOut'), onSelect: () => leave.mutate() },
      ]}
    >
      <UserIcon size={18} />
    </Menu>
  );
}
