import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '../../shared/api/client';
import { formatsQuery } from '../../shared/api/queries';
import { count, size } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Bar, Check, Dialog, Field, Group, Input, Plain, Primary, Select } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { FindingGroups } from './FindingGroups';
import { exportQuery, type Dataset } from './queries';

/** A draft or version in any format that can hold it: as an archive to download, or into a folder of the server. */
export function ExportDialog(props: { dataset: Dataset; version: number | null; open: boolean; onClose: () => void }) {
  const { t } = useText();
  const title = props.version === null ? t('export.draftTitle', { name: props.dataset.name }) : t('export.title', { name: props.dataset.name, version: props.version });
  return (
    <Dialog title={title} open={props.open} onClose={props.onClose} footer={null}>
      {props.open && <Content {...props} />}
    </Dialog>
  );
}

function Content({ dataset, version, onClose }: { dataset: Dataset; version: number | null; onClose: () => void }) {
  const { t, language } = useText();
  const formats = useQuery({ ...formatsQuery(dataset.scenario), queryKey: ['formats', dataset.scenario, language] });
  const [chosen, setFormat] = useState('');
  const [where, setWhere] = useState<'archive' | 'folder'>('archive');
  const [folder, setFolder] = useState('');
  const [id, setId] = useState<string | null>(null);
  const job = useQuery(exportQuery(id));
  const format = chosen || formats.data?.items[0]?.id || '';
  const start = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/datasets/{dataset}/exports', {
          params: { path: { dataset: dataset.name } },
          body: { format, version, folder: where === 'folder' ? folder : null },
        }),
      ),
    onSuccess: (made) => setId(made.id),
  });
  const stop = useMutation({
    mutationFn: (export_: string) => unwrap(api.DELETE('/v1/exports/{export}', { params: { path: { export: export_ } } })),
    onSuccess: () => setId(null),
  });
  const state = job.data;
  if (id && state) {
    return (
      <div className="sg-stack-s">
        {state.status === 'writing' && (
          <>
            <p className="sg-figures">{t('export.writing', { written: count(state.written), total: count(state.total) })}</p>
            <Bar value={state.written / Math.max(1, state.total)} label={t('dataset.export')} />
          </>
        )}
        {state.status === 'ready' && (
          <p>
            {state.folder === null
              ? t('export.ready', { count: state.written, size: size(state.size) })
              : t('export.written', { count: state.written, folder: state.folder })}
          </p>
        )}
        {state.error && <ProblemBox error={new Error(state.error.message)} />}
        {state.findings.length > 0 && (
          <>
            <p>{t('export.findings')}</p>
            <FindingGroups items={[...state.findings]} />
          </>
        )}
        <footer>
          {state.status === 'writing' ? (
            <Plain loading={stop.isPending} onClick={() => stop.mutate(id)}>
              {t('common.cancel')}
            </Plain>
          ) : (
            <>
              <Plain onClick={() => setId(null)}>{t('export.again')}</Plain>
              {state.status === 'ready' && state.folder === null ? (
                <a className="t-button t-button--theme-primary t-button--variant-base t-button--shape-rectangle" href={`/v1/exports/${id}/download`} download>
                  <span className="t-button__text">{t('export.download')}</span>
                </a>
              ) : (
                <Primary onClick={onClose}>{t('samples.close')}</Primary>
              )}
            </>
          )}
        </footer>
      </div>
    );
  }
  return (
    <form
      className="sg-stack"
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <Field label={t('export.format')} hint={t('export.formatHint')}>
        <Select value={format} onChange={(event) => setFormat(event.target.value)}>
          {(formats.data?.items ?? []).map((item) => (
            <option key={item.id} value={item.id}>
              {item.name}
            </option>
          ))}
        </Select>
      </Field>
      <Group label={t('export.where')}>
        {(['archive', 'folder'] as const).map((item) => (
          <Check key={item} kind="radio" name="where" label={t(`export.to.${item}`)} checked={where === item} onChange={() => setWhere(item)} />
        ))}
      </Group>
      {where === 'folder' && (
        <Field label={t('export.folder')} hint={t('export.folderHint')}>
          <Input className="sg-wide" value={folder} placeholder="/data/export" onChange={(event) => setFolder(event.target.value)} />
        </Field>
      )}
      {start.isError && <ProblemBox error={start.error} />}
      <footer>
        <Plain onClick={onClose}>{t('common.cancel')}</Plain>
        <Primary type="submit" loading={start.isPending} disabled={!format || (where === 'folder' && !folder)}>
          {t('export.start')}
        </Primary>
      </footer>
    </form>
  );
}
