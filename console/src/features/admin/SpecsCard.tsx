import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { specsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { useSession } from '../../shared/session/session';
import { Card, Check, Dialog, Field, Input, Plain, Primary, say } from '../../shared/ui/kit';
import { Loaded, ProblemBox, useErrorText } from '../../shared/ui/Loaded';
import { Menu } from '../../shared/ui/Menu';

type Spec = Schemas['SpecOut'];
const gigabytes = (spec: Spec) => `${spec.memory_mb / 1024} GB`;

export function SpecsCard() {
  const { t } = useText();
  const client = useQueryClient();
  const errorText = useErrorText();
  const session = useSession();
  const query = useQuery(specsQuery());
  const [editing, setEditing] = useState<Spec | 'new' | null>(null);
  const after = {
    onSuccess: () => void client.invalidateQueries({ queryKey: ['specs'] }),
    onError: (error: unknown) => say.failed(errorText(error).title),
  };
  const change = useMutation({ mutationFn: (spec: Spec) => put(spec), ...after });
  const remove = useMutation({ mutationFn: (spec: string) => unwrap(api.DELETE('/v1/specs/{spec}', { params: { path: { spec } } })), ...after });
  return (
    <Card title={t('admin.tabs.specs')} extra={<Primary onClick={() => setEditing('new')}>{t('admin.newSpec')}</Primary>}>
      <p className="sg-secondary" style={{ marginBottom: 16 }}>
        {t('admin.specsText')}
      </p>
      <Loaded query={query}>
        {(page) => (
          <div className="sg-table-box">
            <table className="sg-table">
              <thead>
                <tr>
                  <th>{t('admin.spec')}</th>
                  <th className="sg-num">{t('admin.cpu')}</th>
                  <th className="sg-num">{t('admin.memory')}</th>
                  <th className="sg-num">{t('admin.gpu')}</th>
                  <th className="sg-num">{`${t('admin.price')} (${session?.currency ?? ''})`}</th>
                  <th>{t('tokens.state')}</th>
                  <th className="sg-num">{t('admin.inUse')}</th>
                  <th>{t('common.actions')}</th>
                </tr>
              </thead>
              <tbody>
                {page.items.map((spec) => (
                  <tr key={spec.id}>
                    <td>{spec.id}</td>
                    <td className="sg-num">{spec.cpu}</td>
                    <td className="sg-num">{gigabytes(spec)}</td>
                    <td className="sg-num">{spec.gpu || '-'}</td>
                    <td className="sg-num">{spec.price}</td>
                    <td>{spec.reason ?? t('admin.enabled')}</td>
                    <td className="sg-num">{spec.in_use}</td>
                    <td>
                      <Menu
                        label={t('admin.actionsOf', { name: spec.id })}
                        items={[
                          { text: t('admin.edit'), onSelect: () => setEditing(spec) },
                          { text: t(spec.enabled ? 'admin.disable' : 'admin.enable'), onSelect: () => change.mutate({ ...spec, enabled: !spec.enabled }) },
                          { text: t('admin.delete'), danger: true, why: spec.in_use > 0 && t('admin.specInUse'), onSelect: () => remove.mutate(spec.id) },
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
      {editing && <EditSpec spec={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </Card>
  );
}

type Form = Pick<Spec, 'id' | 'cpu' | 'memory_mb' | 'gpu' | 'price' | 'enabled'>;

function put({ id, cpu, memory_mb, gpu, price, enabled }: Form) {
  return unwrap(api.PUT('/v1/specs/{spec}', { params: { path: { spec: id } }, body: { cpu, memory_mb, gpu, price, enabled } }));
}

function EditSpec({ spec, onClose }: { spec: Spec | null; onClose: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [form, setForm] = useState<Form>(spec ?? { id: '', cpu: 2, memory_mb: 4096, gpu: 0, price: '0.60', enabled: true });
  const save = useMutation({
    mutationFn: () => put({ ...form, id: form.id.trim().toUpperCase() }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['specs'] });
      onClose();
    },
  });
  const error = save.error instanceof ApiError ? save.error : null;
  const fixed = spec !== null && spec.in_use > 0;
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const number = (key: 'cpu' | 'memory_mb' | 'gpu', label: string, min: number) => (
    <Field label={label} error={error?.fields[key]}>
      <Input type="number" min={min} value={form[key]} disabled={fixed} onChange={(event) => setForm({ ...form, [key]: Number(event.target.value) })} />
    </Field>
  );
  return (
    <Dialog title={spec ? t('admin.editSpec', { name: spec.id }) : t('admin.newSpec')} open onClose={onClose} footer={null}>
      <form className="sg-stack" onSubmit={send}>
        {error && <ProblemBox error={error} />}
        <Field label={t('admin.spec')} hint={t('admin.specName')}>
          <Input value={form.id} required disabled={spec !== null} onChange={(event) => setForm({ ...form, id: event.target.value })} />
        </Field>
        {number('cpu', t('admin.cpu'), 1)}
        {number('memory_mb', t('admin.memoryMb'), 256)}
        {number('gpu', t('admin.gpu'), 0)}
        <Field label={t('admin.price')} hint={t('admin.priceText')} error={error?.fields.price}>
          <Input value={form.price} inputMode="decimal" required onChange={(event) => setForm({ ...form, price: event.target.value })} />
        </Field>
        <Check label={t('admin.enabledText')} checked={form.enabled} onChange={(event) => setForm({ ...form, enabled: event.target.checked })} />
        <div className="sg-row" style={{ justifyContent: 'flex-end' }}>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary type="submit" loading={save.isPending}>
            {t('admin.save')}
          </Primary>
        </div>
      </form>
    </Dialog>
  );
}
