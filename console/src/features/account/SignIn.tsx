import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import type { Session } from '../../shared/session/session';
import { Alert, Field, Input, Primary } from '../../shared/ui/kit';
import { useErrorText } from '../../shared/ui/Loaded';

/** Name and password, then a new password where the one given was for one time only. */
export default function SignIn({ session }: { session: Session }) {
  const [oneTime, setOneTime] = useState('');
  if (session.signed_in && session.must_change_password) return <NewPassword name={session.name ?? ''} oneTime={oneTime} />;
  return <NamePassword onDone={setOneTime} />;
}

function NamePassword({ onDone }: { onDone: (password: string) => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/session', { body: { name: name.trim(), password } })),
    onSuccess: (session) => {
      onDone(password);
      client.setQueryData(['session'], session);
      if (!session.must_change_password) void client.invalidateQueries();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() && password) signIn.mutate();
  };
  return (
    <form className="sg-stack" onSubmit={send} aria-label={t('signin.title')}>
      <Problem error={signIn.error} />
      <Field label={t('signin.name')}>
        <Input value={name} autoComplete="username" autoFocus required onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label={t('signin.password')} hint={t('signin.forgotten')}>
        <Input type="password" value={password} autoComplete="current-password" required onChange={(event) => setPassword(event.target.value)} />
      </Field>
      <Primary type="submit" block loading={signIn.isPending}>
        {t('signin.submit')}
      </Primary>
    </form>
  );
}

/** A password of one's own; also the form on the profile page. */
export function NewPassword({ name, oneTime, onDone }: { name: string; oneTime?: string; onDone?: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: () => unwrap(api.PUT('/v1/session/password', { body: { current: oneTime || current, password } })),
    onSuccess: (session) => {
      client.setQueryData(['session'], session);
      setCurrent('');
      setPassword('');
      setAgain('');
      void client.invalidateQueries();
      onDone?.();
    },
  });
  const fields = change.error instanceof ApiError ? change.error.fields : {};
  const differs = again !== '' && again !== password;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (password && password === again) change.mutate();
  };
  return (
    <form className="sg-stack" onSubmit={send} aria-label={t('signin.change')}>
      {oneTime !== undefined && <Alert theme="info" title={t('signin.firstTitle', { name })}>{t('signin.firstText')}</Alert>}
      {!fields.password && !fields.current && <Problem error={change.error} />}
      <input type="hidden" name="username" autoComplete="username" value={name} readOnly />
      {!oneTime && (
        <Field label={t('signin.current')} error={fields.current}>
          <Input type="password" value={current} autoComplete="current-password" required onChange={(event) => setCurrent(event.target.value)} />
        </Field>
      )}
      <Field label={t('signin.new')} hint={t('signin.rule')} error={fields.password}>
        <Input type="password" value={password} autoComplete="new-password" required minLength={10} onChange={(event) => setPassword(event.target.value)} />
      </Field>
      <Field label={t('signin.again')} error={differs ? t('signin.differs') : null}>
        <Input type="password" value={again} autoComplete="new-password" required onChange={(event) => setAgain(event.target.value)} />
      </Field>
      <Primary type="submit" block={oneTime !== undefined} loading={change.isPending}>
        {t('signin.change')}
      </Primary>
    </form>
  );
}

function Problem({ error }: { error: unknown }) {
  const text = useErrorText();
  if (!error) return null;
  const { title, action } = text(error);
  return (
    <Alert theme="danger" title={title}>
      {action}
    </Alert>
  );
}
