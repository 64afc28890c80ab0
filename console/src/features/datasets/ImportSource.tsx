import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { api, ApiError, unwrap, type Schemas } from '../../shared/api/client';
import { formatsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { droppedFiles, pickedFiles } from '../../shared/upload/dropped';
import { cancelUpload, forgetUpload, startUpload, useUpload } from '../../shared/upload/store';
import { Card, Check, Field, Group, Input, Plain, Primary, say, Select } from '../../shared/ui/kit';
import { ProblemBox, useErrorText } from '../../shared/ui/Loaded';
import { path, refresh, type Dataset } from './queries';
import { UploadList } from './UploadList';

/** Where the pictures come from: files of this machine, or a folder of the server. */
export function ImportSource({ dataset }: { dataset: Dataset }) {
  const { t, language } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const text = useErrorText();
  const upload = useUpload(dataset.name);
  const [from, setFrom] = useState<'files' | 'server'>('files');
  const [folder, setFolder] = useState('');
  const [split, setSplit] = useState('');
  const [part, setPart] = useState('');
  const [format, setFormat] = useState('auto');
  const formats = useQuery({ ...formatsQuery(dataset.scenario), queryKey: ['formats', dataset.scenario, language] });
  const check = useMutation({
    mutationFn: () => {
      const body = {
        dataset: dataset.name,
        scenario: dataset.scenario,
        format,
        confirm: false,
        ...(from === 'files' ? { upload: upload?.id ?? null } : { folder, split_file: split || null, part: part || null }),
      } as Schemas['NewImport'];
      return unwrap(api.POST('/v1/imports', { body }));
    },
    onSuccess: (job) => {
      if (from === 'files') forgetUpload(dataset.name);
      void refresh(client, dataset.name);
      void go(path(dataset.name, 'imports', job.id), { replace: true });
    },
  });
  const fields = check.error instanceof ApiError ? check.error.fields : {};
  const totals = upload?.totals;
  const why =
    from === 'server'
      ? !folder.trim() && t('importing.folderMissing')
      : !totals || totals.files === 0
        ? t('importing.filesMissing')
        : !totals.over
          ? t('importing.uploading')
          : totals.failed > 0 && t('importing.uploadFailed', { count: totals.failed });
  return (
    <div className="sg-stack" style={{ maxWidth: 960 }}>
      <Card title={t('importing.sourceTitle')}>
        <div className="sg-stack" style={{ gap: 24 }}>
          <Group label={t('importing.from')}>
            {(['files', 'server'] as const).map((item) => (
              <Check key={item} kind="radio" name="from" label={t(`importing.fromKind.${item}`)} checked={from === item} onChange={() => setFrom(item)} />
            ))}
          </Group>
          {from === 'files' ? (
            <>
              <Drop onFiles={(picked) => void startUpload(dataset.name, picked)} />
              {upload && <UploadList upload={upload} />}
            </>
          ) : (
            <>
              <Field label={t('importing.folder')} hint={t('importing.folderHint')} error={fields.folder ?? null}>
                <Input className="sg-wide" value={folder} placeholder="/data/receipts" onChange={(event) => setFolder(event.target.value)} />
              </Field>
              <Field label={t('importing.split')} hint={t('importing.splitHint')} error={fields.split_file ?? null}>
                <Input className="sg-wide" value={split} placeholder="/data/receipts/split.json" onChange={(event) => setSplit(event.target.value)} />
              </Field>
              {split && (
                <Field label={t('importing.part')} hint={t('importing.partHint')} error={fields.part ?? null}>
                  <Input value={part} placeholder="train" maxLength={40} onChange={(event) => setPart(event.target.value)} />
                </Field>
              )}
            </>
          )}
          <Field label={t('importing.format')} hint={t('importing.formatHint')} error={fields.format ?? null}>
            <Select value={format} onChange={(event) => setFormat(event.target.value)}>
              <option value="auto">{t('importing.auto')}</option>
              {(formats.data?.items ?? []).map((item) => (
                <option key={item.id} value={item.id}>
                  {item.name}
                </option>
              ))}
            </Select>
          </Field>
          {check.isError && !fields.folder && !fields.split_file && <ProblemBox error={check.error} />}
          <div className="sg-row">
            <Primary loading={check.isPending} why={why} onClick={() => check.mutate()}>
              {t('importing.check')}
            </Primary>
            <span className="sg-secondary">{t('importing.nothingYet')}</span>
            <span className="sg-grow" />
            {upload && (
              <Plain onClick={() => void cancelUpload(dataset.name).catch((error: unknown) => say.failed(text(error).title))}>
                {t('importing.cancelUpload')}
              </Plain>
            )}
          </div>
        </div>
      </Card>
    </div>
  );
}

/** Files and folders by drop or choice; folders keep their paths. */
function Drop({ onFiles }: { onFiles: (picked: ReturnType<typeof pickedFiles>) => void }) {
  const { t } = useText();
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const choose = (event: React.ChangeEvent<HTMLInputElement>) => {
    if (event.target.files) onFiles(pickedFiles(event.target.files));
    event.target.value = '';
  };
  return (
    <div
      className="sg-drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void droppedFiles(event.dataTransfer.items).then(onFiles);
      }}
    >
      <p>{t('importing.drop')}</p>
      <p className="sg-secondary sg-small" style={{ marginBottom: 12 }}>
        {t('importing.dropHint')}
      </p>
      <span className="sg-row" style={{ justifyContent: 'center' }}>
        <Plain onClick={() => files.current?.click()}>{t('importing.chooseFiles')}</Plain>
        <Plain onClick={() => folder.current?.click()}>{t('importing.chooseFolder')}</Plain>
      </span>
      <input ref={files} type="file" multiple hidden aria-label={t('importing.chooseFiles')} onChange={choose} />
      <input ref={folder} type="file" multiple hidden aria-label={t('importing.chooseFolder')} onChange={choose} {...{ webkitdirectory: '' }} />
    </div>
  );
}
