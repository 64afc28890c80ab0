import { Suspense } from 'react';
import { Link, NavLink, Outlet, ScrollRestoration, useNavigation } from 'react-router';
import { DataBaseIcon, DesktopIcon, HomeIcon, MoonIcon, ServerIcon, SunnyIcon, UserIcon, ViewListIcon } from 'tdesign-icons-react';
import type { Language } from '../shared/format/format';
import { changeLanguage, LANGUAGES, useText } from '../shared/i18n';
import { useKeepPreference } from '../shared/session/session';
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
] as const;

export function Shell() {
  const { t } = useText();
  const navigation = useNavigation();
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
          <Languages />
          <Themes />
        </div>
      </header>
      <nav className="sg-menu" aria-label={t('shell.menu')}>
        {MENU.map((group, index) => (
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
