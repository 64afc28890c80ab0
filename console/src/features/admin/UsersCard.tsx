import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { useSession, type Role } from '../../shared/session/session';
import { Card, CopyButton, Dialog, Field, Input, Plain, Primary, say, Select } from '../../shared/ui/kit';
import { Loaded, ProblemBox, useErrorText } from '../../shared/ui/Loaded';
import { Menu } from '../../shared/ui/Menu';
import { When } from '../../shared/ui/Time';

const ROLES: Role[] = ['viewer', 'annotator', 'developer', 'admin'];
type User = Schemas['UserView'];
type Made = Schemas['NewPassword'];

export function UsersCard() {
  const { t } = useText();
  const client = useQueryClient();
  const errorText = useErrorText();
  const session = useSession();
  const [q, setQ] = useState('');
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const [payee, setPayee] = useState<User | null>(null);
  const query = useQuery({ queryKey: ['users', q], queryFn: () => unwrap(api.GET('/v1/users', { params: { query: { q, limit: 200 } } })) });
  const refresh = () => void client.invalidateQueries({ queryKey: ['users'] });
  const change = useMutation({
    mutationFn: ({ user, ...body }: { user: string; role?: Role; disabled?: boolean }) => unwrap(api.PATCH('/v1/users/{user}', { params: { path: { user } }, body })),
    onSuccess: refresh,
    onError: (error) => say.failed(errorText(error).title),
  });
  const reset = useMutation({
    mutationFn: (user: string) => unwrap(api.POST('/v1/users/{user}/reset-password', { params: { path: { user } } })),
    onSuccess: setMade,
    onError: (error) => say.failed(errorText(error).title),
  });
  return (
    <Card title={t('admin.tabs.users')} extra={<Primary onClick={() => setAdding(true)}>{t('admin.newUser')}</Primary>}>
      <Input type="search" aria-label={t('admin.findUser')} placeholder={t('admin.findUser')} value={q} onChange={(event) => setQ(event.target.value)} style={{ marginBottom: 16 }} />
      <Loaded query={query}>
        {(page) => (
          <div className="sg-table-box">
            <table className="sg-table">
              <thead>
                <tr>
                  <th>{t('signin.name')}</th>
                  <th>{t('accounts.role')}</th>
                  <th>{t('tokens.state')}</th>
                  <th>{t('admin.lastSeen')}</th>
                  <th>{t('tasks.created')}</th>
                  <th>{t('common.actions')}</th>
                </tr>
              </thead>
              <tbody>
                {page.items.map((user) => (
                  <tr key={user.id}>
                    <td>{user.name}</td>
                    <td>
                      <Select aria-label={t('admin.roleOf', { name: user.name })} value={user.role} onChange={(event) => change.mutate({ user: user.id, role: event.target.value as Role })}>
                        {ROLES.map((role) => (
                          <option key={role} value={role}>
                            {t(`session.roles.${role}`)}
                          </option>
                        ))}
                      </Select>
                    </td>
                    <td>{t(user.disabled ? 'admin.disabled' : user.must_change_password ? 'admin.oneTime' : 'admin.active')}</td>
                    <td>
                      <When at={user.signed_in_at} relative />
                    </td>
                    <td>
                      <When at={user.created_at} />
                    </td>
                    <td>
                      <Menu
                        label={t('admin.actionsOf', { name: user.name })}
                        items={[
                          session?.money && { text: t('admin.topUp'), onSelect: () => setPayee(user) },
                          { text: t('admin.reset'), onSelect: () => reset.mutate(user.id) },
                          { text: t(user.disabled ? 'admin.enable' : 'admin.disable'), danger: !user.disabled, onSelect: () => change.mutate({ user: user.id, disabled: !user.disabled }) },
                        ]}
                      />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      {adding && <AddUser onClose={() => setAdding(false)} onMade={(user) => { setAdding(false); setMade(user); refresh(); }} />}
      {payee && <TopUp user={payee} onClose={() => setPayee(null)} />}
      <Dialog title={t('admin.password')} open={made !== null} onClose={() => setMade(null)} footer={<Primary onClick={() => setMade(null)}>{t('tokens.done')}</Primary>}>
        <p style={{ marginBottom: 12 }}>{t('admin.passwordText', { name: made?.user.name ?? '' })}</p>
        <div className="sg-row">
          <code>{made?.one_time_password}</code>
          <CopyButton text={made?.one_time_password ?? ''} />
        </div>
      </Dialog>
    </Card>
  );
}

function AddUser({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const { t } = useText();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('developer');
  const add = useMutation({ mutationFn: () => unwrap(api.POST('/v1/users', { body: { name: name.trim(), role } })), onSuccess: onMade });
  const error = add.error instanceof ApiError ? add.error : null;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) add.mutate();
  };
  return (
    <Dialog title={t('admin.newUser')} open onClose={onClose} footer={null}>
      <form className="sg-stack" onSubmit={send}>
        {error && !error.fields.name && <ProblemBox error={error} />}
        <Field label={t('signin.name')} error={error?.fields.name}>
          <Input value={name} required autoFocus onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label={t('accounts.role')} hint={t(`admin.roleText.${role}`)}>
          <Select value={role} onChange={(event) => setRole(event.target.value as Role)}>
            {ROLES.map((item) => (
              <option key={item} value={item}>
                {t(`session.roles.${item}`)}
              </option>
            ))}
          </Select>
        </Field>
        <div className="sg-row" style={{ justifyContent: 'flex-end' }}>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary type="submit" loading={add.isPending}>
            {t('admin.newUser')}
          </Primary>
        </div>
      </form>
    </Dialog>
  );
}

function TopUp({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const session = useSession();
  const [amount, setAmount] = useState('');
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/users/{user}/top-ups', { params: { path: { user: user.id } }, body: { amount: amount.trim(), note } })),
    onSuccess: (balance) => {
      say.done(t('admin.toppedUp', { name: user.name, balance: balance.balance }));
      void client.invalidateQueries({ queryKey: ['balance'] });
      void client.invalidateQueries({ queryKey: ['ledger'] });
      onClose();
    },
  });
  const error = add.error instanceof ApiError ? add.error : null;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (amount.trim()) add.mutate();
  };
  return (
    <Dialog title={t('admin.topUpTitle', { name: user.name })} open onClose={onClose} footer={null}>
      <form className="sg-stack" onSubmit={send}>
        {error && !error.fields.amount && <ProblemBox error={error} />}
        <Field label={`${t('accounts.amount')} (${session?.currency ?? ''})`} error={error?.fields.amount}>
          <Input value={amount} inputMode="decimal" required autoFocus onChange={(event) => setAmount(event.target.value)} />
        </Field>
        <Field label={t('accounts.note')}>
          <Input value={note} maxLength={300} onChange={(event) => setNote(event.target.value)} />
        </Field>
        <div className="sg-row" style={{ justifyContent: 'flex-end' }}>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary type="submit" loading={add.isPending}>
            {t('admin.topUp')}
          </Primary>
        </div>
      </form>
    </Dialog>
  );
}
