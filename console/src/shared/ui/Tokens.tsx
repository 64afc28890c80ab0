import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { ApiError, type Schemas } from '../api/client';
import { useText } from '../i18n';
import { Card, Check, CopyButton, Danger, Dialog, Empty, Field, Input, Plain, Primary, Select } from './kit';
import { Loaded, ProblemBox } from './Loaded';
import { When } from './Time';

type Token = Schemas['TokenView'];
type NewToken = Schemas['NewToken'];
const LIVES = [1, 30, 90, 365, 0] as const;

type Props = {
  title: string;
  text: string;
  queryKey: string[];
  list: () => Promise<{ items: Token[] }>;
  create: (name: string, days: number | null) => Promise<NewToken>;
  revoke: (id: string) => Promise<Token>;
};

/** Tokens of an account or keys of a service: made, shown once, revoked. */
export function TokenCard(props: Props) {
  const { t } = useText();
  const client = useQueryClient();
  const query = useQuery({ queryKey: props.queryKey, queryFn: props.list });
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<Token | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: props.queryKey });
  const revoke = useMutation({
    mutationFn: props.revoke,
    onSuccess: () => {
      setLeaving(null);
      void refresh();
    },
  });
  return (
    <Card title={props.title} extra={<Primary onClick={() => setMaking(true)}>{t('tokens.new')}</Primary>}>
      <p className="sg-secondary" style={{ marginBottom: 16 }}>
        {props.text}
      </p>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('tokens.none')} />
          ) : (
            <div className="sg-table-box">
              <table className="sg-table">
                <thead>
                  <tr>
                    <th>{t('tokens.name')}</th>
                    <th>{t('tokens.prefix')}</th>
                    <th>{t('tokens.state')}</th>
                    <th>{t('tokens.expires')}</th>
                    <th>{t('tokens.used')}</th>
                    <th>{t('common.actions')}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={item.id}>
                      <td>{item.name}</td>
                      <td>
                        <code>{`${item.prefix}…`}</code>
                      </td>
                      <td>{t(`tokens.states.${item.state}`)}</td>
                      <td>{item.expires_at ? <When at={item.expires_at} /> : t('tokens.never')}</td>
                      <td>
                        <When at={item.used_at} relative />
                      </td>
                      <td>
                        {item.state === 'active' && (
                          <Danger size="small" onClick={() => setLeaving(item)}>
                            {t('tokens.revoke')}
                          </Danger>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      {making && <MakeToken create={props.create} onClose={() => { setMaking(false); void refresh(); }} />}
      <Dialog
        title={t('tokens.revokeTitle', { name: leaving?.name ?? '' })}
        open={leaving !== null}
        onClose={() => setLeaving(null)}
        footer={
          <>
            <Plain onClick={() => setLeaving(null)}>{t('common.cancel')}</Plain>
            <Danger loading={revoke.isPending} onClick={() => leaving && revoke.mutate(leaving.id)}>
              {t('tokens.revoke')}
            </Danger>
          </>
        }
      >
        {revoke.error && <ProblemBox error={revoke.error} />}
        <p>{t('tokens.revokeText')}</p>
      </Dialog>
    </Card>
  );
}

function MakeToken({ create, onClose }: { create: Props['create']; onClose: () => void }) {
  const { t } = useText();
  const [name, setName] = useState('');
  const [days, setDays] = useState(90);
  const [kept, setKept] = useState(false);
  const make = useMutation({ mutationFn: () => create(name.trim(), days || null) });
  const error = make.error instanceof ApiError ? make.error : null;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) make.mutate();
  };
  if (make.data)
    return (
      <Dialog title={t('tokens.made')} open onClose={onClose} footer={<Primary why={kept ? null : t('tokens.keepFirst')} onClick={onClose}>{t('tokens.done')}</Primary>}>
        <div className="sg-stack">
          <p>{t('tokens.once')}</p>
          <div className="sg-row">
            <code style={{ wordBreak: 'break-all' }}>{make.data.secret}</code>
            <CopyButton text={make.data.secret} />
          </div>
          <Check label={t('tokens.kept')} checked={kept} onChange={(event) => setKept(event.target.checked)} />
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t('tokens.new')} open onClose={onClose} footer={null}>
      <form className="sg-stack" onSubmit={send}>
        {error && !error.fields.name && <ProblemBox error={error} />}
        <Field label={t('tokens.name')} error={error?.fields.name}>
          <Input value={name} maxLength={60} required autoFocus onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label={t('tokens.expires')}>
          <Select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {LIVES.map((item) => (
              <option key={item} value={item}>
                {item ? t('tokens.days', { count: item }) : t('tokens.never')}
              </option>
            ))}
          </Select>
        </Field>
        <div className="sg-row" style={{ justifyContent: 'flex-end' }}>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary type="submit" loading={make.isPending}>
            {t('tokens.new')}
          </Primary>
        </div>
      </form>
    </Dialog>
  );
}
