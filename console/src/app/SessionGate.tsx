import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { changeLanguage, useText } from '../shared/i18n';
import { sessionQuery, type Session } from '../shared/session/session';
import { setMode } from '../shared/theme/mode';
import { Dialog, Skeleton } from '../shared/ui/kit';
import { ProblemBox } from '../shared/ui/Loaded';

const SignIn = lazy(() => import('../features/account/SignIn'));

/** Pages for whoever is signed in. Where a session ends under a page, its work stays and the sign-in comes over it. */
export function SessionGate({ children }: { children: ReactNode }) {
  const query = useQuery(sessionQuery());
  const session = query.data;
  const inside = Boolean(session?.signed_in && !session.must_change_password);
  const [been, setBeen] = useState(false);
  useEffect(() => {
    if (inside) setBeen(true);
  }, [inside]);
  usePreferences(session);
  if (!session) return query.isError ? <ProblemBox error={query.error} retry={() => void query.refetch()} /> : null;
  if (!inside && !been) return <SignInPage session={session} />;
  return (
    <>
      {children}
      {!inside && <SignInAgain session={session} />}
    </>
  );
}

function SignInPage({ session }: { session: Session }) {
  const { t } = useText();
  useEffect(() => {
    document.title = `${t('signin.title')} · Sandglass`;
  }, [t]);
  return (
    <main className="sg-signin">
      <div className="sg-card">
        <header>
          <h1>
            <img src="/favicon.svg" alt="" width={28} height={28} />
            {t('signin.heading')}
          </h1>
        </header>
        <Suspense fallback={<Skeleton />}>
          <SignIn session={session} />
        </Suspense>
      </div>
    </main>
  );
}

function SignInAgain({ session }: { session: Session }) {
  const { t } = useText();
  const [closed, setClosed] = useState(false);
  return (
    <Dialog title={t('signin.over')} open={!closed} onClose={() => setClosed(true)} footer={null}>
      <p className="sg-secondary" style={{ marginBottom: 16 }}>{t('signin.overText')}</p>
      <Suspense fallback={<Skeleton />}>
        <SignIn session={session} />
      </Suspense>
    </Dialog>
  );
}

/** What the account chose holds on this machine from the moment of signing in. */
function usePreferences(session: Session | undefined): void {
  const name = session?.signed_in ? session.name : undefined;
  const { language, theme } = session?.preferences ?? {};
  useEffect(() => {
    if (!name) return;
    if (language) changeLanguage(language);
    if (theme) setMode(theme);
    // Only when somebody comes in: later choices are made here and are kept from here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [name]);
}
