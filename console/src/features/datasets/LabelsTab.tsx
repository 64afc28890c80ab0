import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { labelLook } from '../../shared/theme/palette';
import { Card, Danger, Dialog, Empty, Field, Input, Plain, Primary, say } from '../../shared/ui/kit';
import { Loaded, ProblemBox, useErrorText } from '../../shared/ui/Loaded';
import { Menu } from '../../shared/ui/Menu';
import { DictionaryCard } from './DictionaryCard';
import { labelListQuery, path, refresh, type Dataset, type Label } from './queries';

const LOOKS = Array.from({ length: 12 }, (_, index) => index);

/** Labels or fields: how often each occurs, its colour, and changes that reach all samples at once. */
export function LabelsTab({ dataset }: { dataset: Dataset }) {
  const { t } = useText();
  const client = useQueryClient();
  const text = useErrorText();
  const query = useQuery(labelListQuery(dataset.name));
  const [changing, setChanging] = useState<{ what: 'rename' | 'delete'; label: Label } | null>(null);
  const [adding, setAdding] = useState('');
  const fields = dataset.scenario === 'ocr';
  const put = useMutation({
    mutationFn: (body: { label: string; colour?: number }) =>
      unwrap(api.POST('/v1/datasets/{dataset}/labels', { params: { path: { dataset: dataset.name } }, body })),
    onSuccess: () => {
      setAdding('');
      return refresh(client, dataset.name);
    },
    onError: (error) => say.failed(text(error).title),
  });
  const add = (event: React.FormEvent) => {
    event.preventDefault();
    if (adding.trim()) put.mutate({ label: adding });
  };
  return (
    <div className="sg-stack">
      <Card
        title={t(fields ? 'labels.fields' : 'labels.title')}
        extra={
          <form className="sg-row" onSubmit={add}>
            <Input value={adding} maxLength={200} placeholder={t(fields ? 'labels.newField' : 'labels.new')} aria-label={t(fields ? 'labels.newField' : 'labels.new')} onChange={(event) => setAdding(event.target.value)} />
            <Plain type="submit" disabled={!adding.trim()}>
              {t('labels.add')}
            </Plain>
          </form>
        }
      >
        <Loaded query={query}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={t(fields ? 'labels.noFields' : 'labels.none')} text={t('labels.noneText')} />
            ) : (
              <div className="sg-table-box">
                <table className="sg-table">
                  <thead>
                    <tr>
                      <th>{t('labels.colour')}</th>
                      <th>{t(fields ? 'labels.field' : 'labels.label')}</th>
                      <th className="sg-num">{t('labels.samples')}</th>
                      <th className="sg-num">{t('labels.occurrences')}</th>
                      <th>{t('common.actions')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((label) => (
                      <tr key={label.label}>
                        <td>
                          <Menu
                            align="start"
                            label={t('labels.colourOf', { label: label.label })}
                            items={LOOKS.map((colour) => ({
                              text: (
                                <span className="sg-row">
                                  <Swatch colour={colour} />
                                  {t('labels.colourNumber', { number: colour + 1 })}
                                  {colour === label.colour && ' ✓'}
                                </span>
                              ),
                              onSelect: () => put.mutate({ label: label.label, colour }),
                            }))}
                          >
                            <Swatch colour={label.colour} />
                          </Menu>
                        </td>
                        <td style={{ overflowWrap: 'anywhere' }}>
                          <Link to={`${path(dataset.name)}?${new URLSearchParams({ label: label.label }).toString()}`}>{label.label}</Link>
                        </td>
                        <td className="sg-num">{count(label.samples)}</td>
                        <td className="sg-num">{count(label.occurrences)}</td>
                        <td>
                          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
                            <Plain size="small" onClick={() => setChanging({ what: 'rename', label })}>
                              {t('labels.rename')}
                            </Plain>
                            <Menu label={t('labels.more', { label: label.label })} items={[{ text: t('labels.delete'), danger: true, onSelect: () => setChanging({ what: 'delete', label }) }]} />
                          </span>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Loaded>
      </Card>
      {fields && <DictionaryCard dataset={dataset} labels={query.data?.items ?? []} />}
      {changing?.what === 'rename' && <Rename key={changing.label.label} dataset={dataset} label={changing.label} others={query.data?.items ?? []} onClose={() => setChanging(null)} />}
      {changing?.what === 'delete' && <Remove dataset={dataset} label={changing.label} onClose={() => setChanging(null)} />}
    </div>
  );
}

function Swatch({ colour }: { colour: number }) {
  const look = labelLook(colour);
  return <span className="sg-swatch" style={{ background: look.colour, borderStyle: look.dash ? 'dashed' : 'solid' }} />;
}

type ChangeProps = { dataset: Dataset; label: Label; onClose: () => void };

/** A new name; one that another label has makes the two one, which is said before. */
function Rename({ dataset, label, others, onClose }: ChangeProps & { others: Label[] }) {
  const { t } = useText();
  const client = useQueryClient();
  const [to, setTo] = useState(label.label);
  const target = others.find((other) => other.label === to.trim() && other.label !== label.label);
  const rename = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/datasets/{dataset}/labels/rename', {
          params: { path: { dataset: dataset.name } },
          body: { label: label.label, to, merge: target !== undefined },
        }),
      ),
    onSuccess: (done) => {
      say.done(t('labels.renamed', { count: done.samples }));
      onClose();
      return refresh(client, dataset.name);
    },
  });
  const fields = rename.error instanceof ApiError ? rename.error.fields : {};
  const unchanged = !to.trim() || to.trim() === label.label;
  return (
    <Dialog
      title={t('labels.renameTitle', { label: label.label })}
      open
      onClose={onClose}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary loading={rename.isPending} disabled={unchanged} onClick={() => rename.mutate()}>
            {target ? t('labels.merge', { count: label.samples }) : t('labels.renameConfirm', { count: label.samples })}
          </Primary>
        </>
      }
    >
      <div className="sg-stack-s">
        <Field label={t('labels.newName')} error={fields.to} hint={target ? t('labels.mergeHint', { label: target.label, count: target.samples }) : t('labels.renameHint', { count: label.samples })}>
          <Input value={to} list="sg-rename" maxLength={200} autoFocus onChange={(event) => setTo(event.target.value)} />
        </Field>
        <datalist id="sg-rename">
          {others.map((other) => (
            <option key={other.label} value={other.label} />
          ))}
        </datalist>
        {rename.isError && !fields.to && <ProblemBox error={rename.error} />}
      </div>
    </Dialog>
  );
}

function Remove({ dataset, label, onClose }: ChangeProps) {
  const { t } = useText();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/datasets/{dataset}/labels/delete', { params: { path: { dataset: dataset.name } }, body: { label: label.label } })),
    onSuccess: (done) => {
      say.done(t('labels.deleted', { count: done.samples }));
      onClose();
      return refresh(client, dataset.name);
    },
  });
  return (
    <Dialog
      title={t('labels.deleteTitle', { label: label.label })}
      open
      onClose={onClose}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Danger loading={remove.isPending} onClick={() => remove.mutate()}>
            {t('labels.deleteConfirm', { count: label.samples })}
          </Danger>
        </>
      }
    >
      <div className="sg-stack-s">
        <p>{t('labels.deleteText', { count: label.samples })}</p>
        {remove.isError && <ProblemBox error={remove.error} />}
      </div>
    </Dialog>
  );
}
