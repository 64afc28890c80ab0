import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, unwrap, type Schemas } from '../api/client';
import { useText } from '../i18n';

export type Session = Schemas['SessionOut'];
export type Role = NonNullable<Session['role']>;

const ORDER: Role[] = ['viewer', 'annotator', 'developer', 'admin'];

export const sessionQuery = () =>
  queryOptions({ queryKey: ['session'], queryFn: () => unwrap(api.GET('/v1/session')), staleTime: 60_000 });

/** Who is signed in; undefined until the server has said so. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery()).data;
}

/** Why the person may not do what needs a role: a sentence to show on the button that is off; null = may. */
export function useWhyNot(): (needed: Role) => string | null {
  const { t } = useText();
  const session = useSession();
  return (needed) => {
    const have = session?.role;
    if (!have || ORDER.indexOf(have) >= ORDER.indexOf(needed)) return null;
    return t('session.needs', { role: t(`session.roles.${needed}`) });
  };
}

/** Keeps a choice for the console with the account, so that it holds on every machine. */
export function useKeepPreference(): (choice: Schemas['PreferencesForm']) => void {
  const client = useQueryClient();
  const session = useSession();
  const signedIn = session?.signed_in;
  return useCallback(
    (choice) => {
      if (!signedIn) return;
      // A choice that could not be kept still holds on this machine, so a failure is not worth a message.
      void api.PATCH('/v1/account/preferences', { body: choice }).then(({ data }) => {
        if (data) client.setQueryData<Session>(['session'], (known) => known && { ...known, preferences: data });
      }, () => undefined);
    },
    [client, signedIn],
  );
}
