import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { count, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Danger, Dialog, Empty, Plain, Primary, say, Select } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { Menu } from '../../shared/ui/Menu';
import { When } from '../../shared/ui/Time';
import { useAddress } from '../../shared/ui/useAddress';
import { Compare } from './Compare';
import { ExportDialog } from './ExportDialog';
import { refresh, usesQuery, versionListQuery, type Dataset } from './queries';

type Version = Schemas['VersionView'];

/** Published versions, what differs between them, and the way back to one. */
export function VersionsTab({ dataset }: { dataset: Dataset }) {
  const { t, language } = useText();
  const query = useQuery(versionListQuery(dataset.name));
  const uses = useQuery(usesQuery(dataset.name));
  const [a, setA] = useAddress('a');
  const [b, setB] = useAddress('b');
  const [asking, setAsking] = useState<{ what: 'restore' | 'delete' | 'export'; version: Version } | null>(null);
  const close = () => setAsking(null);
  return (
    <Loaded query={query}>
      {(page) => {
        if (page.items.length === 0)
          return (
            <Card>
              <Empty title={t('versions.none')} text={t('versions.noneText')} />
            </Card>
          );
        const usersOf = (number: number) => (uses.data?.items ?? []).filter((use) => use.versions.includes(number));
        return (
          <div className="sg-stack">
            <Card title={t('versions.title')}>
              <div className="sg-table-box">
                <table className="sg-table">
                  <thead>
                    <tr>
                      <th>{t('versions.version')}</th>
                      <th className="sg-num">{t('versions.pictures')}</th>
                      <th className="sg-num">{t('versions.labelled')}</th>
                      <th>{t('versions.usedBy')}</th>
                      <th>{t('versions.created')}</th>
                      <th>{t('common.actions')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((version) => (
                      <tr key={version.number}>
                        <td>{`v${version.number}`}</td>
                        <td className="sg-num">{count(version.sample_count)}</td>
                        <td className="sg-num">{percent(version.sample_count ? version.labelled_count / version.sample_count : null, language)}</td>
                        <td>
                          {usersOf(version.number).length === 0
                            ? '-'
                            : usersOf(version.number).map((use) => (
                                <Link key={`${use.task} ${use.task_version}`} to={`/tasks/${encodeURIComponent(use.task)}/${use.task_version}`} style={{ marginRight: 8 }}>
                                  {`${use.task} v${use.task_version}`}
                                </Link>
                              ))}
                        </td>
                        <td>
                          <When at={version.created_at} />
                        </td>
                        <td>
                          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
                            <Plain size="small" onClick={() => { setA(String(version.number)); }}>
                              {t('versions.compare')}
                            </Plain>
                            <Menu
                              label={t('versions.more', { version: version.number })}
                              items={[
                                { text: t('versions.export'), onSelect: () => setAsking({ what: 'export', version }) },
                                { text: t('versions.restore'), onSelect: () => setAsking({ what: 'restore', version }) },
                                {
                                  text: t('versions.delete'),
                                  danger: true,
                                  why: usersOf(version.number).length > 0 && t('versions.inUse', { count: usersOf(version.number).length }),
                                  onSelect: () => setAsking({ what: 'delete', version }),
                                },
                              ]}
                            />
                          </span>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Card>
            <Card
              title={t('versions.compareTitle')}
              extra={
                <>
                  <Choice label={t('versions.from')} value={a} versions={page.items} onChange={setA} empty={t('versions.choose')} />
                  <span aria-hidden="true">→</span>
                  <Choice label={t('versions.to')} value={b} versions={page.items} onChange={setB} empty={t('versions.draft')} />
                </>
              }
            >
              {a === '' ? <p className="sg-secondary">{t('versions.chooseText')}</p> : <Compare key={`${a} ${b}`} dataset={dataset} a={Number(a)} b={b === '' ? undefined : Number(b)} />}
            </Card>
            {asking?.what === 'restore' && <Restore dataset={dataset} version={asking.version} onClose={close} />}
            {asking?.what === 'delete' && <Remove dataset={dataset} version={asking.version} onClose={close} />}
            <ExportDialog dataset={dataset} version={asking?.what === 'export' ? asking.version.number : null} open={asking?.what === 'export'} onClose={close} />
          </div>
        );
      }}
    </Loaded>
  );
}

function Choice(props: { label: string; value: string; versions: Version[]; empty: string; onChange: (value: string) => void }) {
  return (
    <Select aria-label={props.label} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      <option value="">{props.empty}</option>
      {props.versions.map((version) => (
        <option key={version.number} value={version.number}>{`v${version.number}`}</option>
      ))}
    </Select>
  );
}

type Asked = { dataset: Dataset; version: Version; onClose: () => void };

function Restore({ dataset, version, onClose }: Asked) {
  const { t } = useText();
  const client = useQueryClient();
  const restore = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/datasets/{dataset}/versions/{number}/restore', {
          params: { path: { dataset: dataset.name, number: version.number } },
          body: { revision: dataset.revision },
        }),
      ),
    onSuccess: (done) => {
      say.done(t('versions.restored', { version: version.number, added: done.added, removed: done.removed, changed: done.changed }));
      onClose();
      return refresh(client, dataset.name);
    },
    onError: () => void refresh(client, dataset.name),
  });
  return (
    <Dialog
      title={t('versions.restoreTitle', { version: version.number })}
      open
      onClose={onClose}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary loading={restore.isPending} onClick={() => restore.mutate()}>
            {t('versions.restoreConfirm', { version: version.number })}
          </Primary>
        </>
      }
    >
      <div className="sg-stack-s">
        <p>{t(dataset.changes ? 'versions.restoreLoses' : 'versions.restoreText', { version: version.number, count: dataset.changes ?? 0 })}</p>
        {restore.isError && <ProblemBox error={restore.error} />}
      </div>
    </Dialog>
  );
}

function Remove({ dataset, version, onClose }: Asked) {
  const { t } = useText();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/v1/datasets/{dataset}/versions/{number}', { params: { path: { dataset: dataset.name, number: version.number } } })),
    onSuccess: () => {
      say.done(t('versions.deleted', { version: version.number }));
      onClose();
      return refresh(client, dataset.name);
    },
  });
  return (
    <Dialog
      title={t('versions.deleteTitle', { version: version.number })}
      open
      onClose={onClose}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Danger loading={remove.isPending} onClick={() => remove.mutate()}>
            {t('versions.deleteConfirm', { version: version.number })}
          </Danger>
        </>
      }
    >
      <div className="sg-stack-s">
        <p>{t('versions.deleteText')}</p>
        {remove.isError && <ProblemBox error={remove.error} />}
      </div>
    </Dialog>
  );
}
