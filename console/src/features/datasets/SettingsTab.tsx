import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { Card, Danger, Facts, Field, Input, Plain, say } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { When } from '../../shared/ui/Time';
import { DeleteDataset } from './DeleteDataset';
import { path, refresh, type Dataset } from './queries';
import { TagsInput } from './TagsInput';

/** Name, description and tags; and the end of a dataset. */
export function SettingsTab({ dataset }: { dataset: Dataset }) {
  const { t } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState(dataset.name);
  const [description, setDescription] = useState(dataset.description);
  const [tags, setTags] = useState<string[]>([...dataset.tags]);
  const [removing, setRemoving] = useState(false);
  const changed = name !== dataset.name || description !== dataset.description || tags.join('\n') !== dataset.tags.join('\n');
  const save = useMutation({
    mutationFn: () => unwrap(api.PATCH('/v1/datasets/{dataset}', { params: { path: { dataset: dataset.id } }, body: { name, description, tags } })),
    onSuccess: async (saved) => {
      say.done(t('datasetSettings.saved'));
      if (saved.name !== dataset.name) await go(path(saved.name, 'settings'), { replace: true });
      return refresh(client, saved.name);
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const send = (event: React.FormEvent) => {
    event.preventDefault();
    if (changed) save.mutate();
  };
  return (
    <div className="sg-stack" style={{ maxWidth: 960 }}>
      <Card title={t('datasetSettings.title')}>
        <form className="sg-stack" style={{ gap: 24 }} onSubmit={send}>
          <Field label={t('newDataset.name')} hint={t('newDataset.nameHint')} error={fields.name ?? null}>
            <Input value={name} maxLength={60} required onChange={(event) => setName(event.target.value)} />
          </Field>
          <Field label={t('newDataset.description')}>
            <textarea className="sg-input" rows={3} maxLength={2000} value={description} onChange={(event) => setDescription(event.target.value)} />
          </Field>
          <Field label={t('newDataset.tags')} hint={t('newDataset.tagsHint')}>
            <TagsInput value={tags} onChange={setTags} />
          </Field>
          {save.isError && !fields.name && <ProblemBox error={save.error} />}
          <div>
            <Plain type="submit" loading={save.isPending} why={!changed && t('datasetSettings.unchanged')}>
              {t('datasetSettings.save')}
            </Plain>
          </div>
        </form>
      </Card>
      <Card title={t('datasetSettings.facts')}>
        <Facts
          items={[
            [t('datasetSettings.id'), <code key="id">{dataset.id}</code>],
            [t('datasetSettings.created'), <When key="created" at={dataset.created_at} />],
            [t('datasetSettings.revision'), String(dataset.revision)],
          ]}
        />
      </Card>
      <Card title={t('datasetSettings.delete')}>
        <div className="sg-spread">
          <p className="sg-secondary">{t('datasetSettings.deleteText')}</p>
          <Danger onClick={() => setRemoving(true)}>{t('deleteDataset.confirm')}</Danger>
        </div>
      </Card>
      <DeleteDataset dataset={removing ? dataset.name : null} onClose={() => setRemoving(false)} onDone={() => void go('/datasets')} />
    </div>
  );
}
