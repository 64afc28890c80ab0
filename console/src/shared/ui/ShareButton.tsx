import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../api/client';
import { useText } from '../i18n';
import { useSession } from '../session/session';
import { Dialog, Facts, Input, Plain, Primary, Select, TextButton } from './kit';
import { Loaded, ProblemBox } from './Loaded';

type Kind = Schemas['Sharing']['kind'];
type Share = Schemas['SharedWith'];
const EVERYBODY = '*';

/** With whom a dataset, task or service is shared; the owner and admins change it. Nothing is shown where nobody signs in. */
export function ShareButton({ kind, name }: { kind: Kind; name: string }) {
  const { t } = useText();
  const session = useSession();
  const [open, setOpen] = useState(false);
  if (!session?.login) return null;
  return (
    <>
      <Plain onClick={() => setOpen(true)}>{t('share.button')}</Plain>
      {open && <ShareDialog kind={kind} name={name} onClose={() => setOpen(false)} />}
    </>
  );
}

function ShareDialog({ kind, name, onClose }: { kind: Kind; name: string; onClose: () => void }) {
  const { t } = useText();
  const path = { kind, resource: name };
  const query = useQuery({ queryKey: ['sharing', kind, name], queryFn: () => unwrap(api.GET('/v1/sharing/{kind}/{resource}', { params: { path } })) });
  return (
    <Dialog title={t('share.title', { name })} open onClose={onClose} footer={null}>
      <Loaded query={query}>{(data) => <ShareForm key={data.shares.length} sharing={data} onClose={onClose} />}</Loaded>
    </Dialog>
  );
}

function ShareForm({ sharing, onClose }: { sharing: Schemas['Sharing']; onClose: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [shares, setShares] = useState<Share[]>([...sharing.shares]);
  const [who, setWho] = useState('');
  const mine = sharing.right === 'own';
  const people = useQuery({ queryKey: ['people', who], queryFn: () => unwrap(api.GET('/v1/people', { params: { query: { q: who } } })), enabled: mine });
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/v1/sharing/{kind}/{resource}', { params: { path: { kind: sharing.kind, resource: sharing.id } }, body: { shares } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['sharing', sharing.kind] });
      onClose();
    },
  });
  const shown = (user: string) => (user === EVERYBODY ? t('share.everybody') : user);
  const add = (user: string) => {
    if (user && !shares.some((item) => item.user === user)) setShares([...shares, { user, right: 'see' }]);
    setWho('');
  };
  return (
    <div className="sg-stack">
      <Facts items={[[t('share.owner'), sharing.owner ?? t('session.roles.admin')]]} />
      {save.error && <ProblemBox error={save.error} />}
      {shares.length === 0 && <p className="sg-secondary">{t('share.nobody')}</p>}
      {shares.map((item) => (
        <div key={item.user} className="sg-spread">
          <span>{shown(item.user)}</span>
          <span className="sg-row">
            <Select
              aria-label={t('share.rightOf', { name: shown(item.user) })}
              value={item.right}
              disabled={!mine}
              onChange={(event) => setShares(shares.map((one) => (one === item ? { ...one, right: event.target.value as Share['right'] } : one)))}
            >
              <option value="see">{t('share.see')}</option>
              <option value="change">{t('share.change')}</option>
            </Select>
            {mine && <TextButton onClick={() => setShares(shares.filter((one) => one !== item))}>{t('share.remove')}</TextButton>}
          </span>
        </div>
      ))}
      {mine ? (
        <>
          <div className="sg-row">
            <Input aria-label={t('share.who')} placeholder={t('share.who')} list="sg-people" value={who} onChange={(event) => setWho(event.target.value)} />
            <datalist id="sg-people">
              {people.data?.map((person) => <option key={person} value={person} />)}
            </datalist>
            <Plain onClick={() => add(who.trim())}>{t('share.add')}</Plain>
            <Plain onClick={() => add(EVERYBODY)}>{t('share.everybody')}</Plain>
          </div>
          <div className="sg-row" style={{ justifyContent: 'flex-end' }}>
            <Plain onClick={onClose}>{t('common.cancel')}</Plain>
            <Primary loading={save.isPending} onClick={() => save.mutate()}>
              {t('share.save')}
            </Primary>
          </div>
        </>
      ) : (
        <p className="sg-secondary">{t('share.ownerOnly')}</p>
      )}
    </div>
  );
}
