import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Card, Check, Field, Group, Input, Plain, Primary } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { nameQuery, path } from './queries';
import { TagsInput } from './TagsInput';

/** A new dataset: made empty, then filled by an import or by annotating. */
export default function NewDatasetPage() {
  const { t } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const [params] = useSearchParams();
  const scenarios = useScenarioNames();
  const [name, setName] = useState(params.get('name') ?? '');
  const [chosen, setScenario] = useState(params.get('scenario') ?? '');
  const [description, setDescription] = useState('');
  const [tags, setTags] = useState<string[]>([]);
  const [after, setAfter] = useState<'import' | 'open'>('import');
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(name), 300);
    return () => clearTimeout(timer);
  }, [name]);
  // It cannot be changed later, so that nothing is chosen for the person where there is a choice.
  const scenario = chosen || (scenarios.items.length === 1 ? scenarios.items[0]!.id : '');
  const taken = useQuery(nameQuery(asked)).data?.total === 1 && asked === name;
  const create = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/datasets', { body: { name, scenario, description, tags } })),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      void go(after === 'import' ? path(made.name, 'imports', 'new') : path(made.name), { replace: true });
    },
  });
  const fields = create.error instanceof ApiError ? create.error.fields : {};
  const send = (event: React.FormEvent) => {
    event.preventDefault();
    if (name && !taken && scenario) create.mutate();
    else document.querySelector<HTMLInputElement>('#main input')?.focus();
  };
  return (
    <Page title={t('newDataset.title')} crumbs={[{ text: t('datasets.title'), to: '/datasets' }, { text: t('newDataset.title') }]}>
      <form onSubmit={send} style={{ maxWidth: 960 }}>
        <Card>
          <div className="sg-stack" style={{ gap: 24 }}>
            <Field label={t('newDataset.name')} hint={t('newDataset.nameHint')} error={taken ? t('newDataset.taken', { name }) : (fields.name ?? null)}>
              <Input
                value={name}
                maxLength={60}
                required
                autoComplete="off"
                onChange={(event) => {
                  setName(event.target.value);
                  create.reset();
                }}
              />
            </Field>
            <Group label={t('newDataset.scenario')} help={t('newDataset.scenarioHelp')}>
              {scenarios.items.map((item) => (
                <Check key={item.id} kind="radio" name="scenario" label={item.name} checked={item.id === scenario} onChange={() => setScenario(item.id)} />
              ))}
            </Group>
            <Field label={t('newDataset.description')}>
              <textarea className="sg-input" rows={3} maxLength={2000} value={description} onChange={(event) => setDescription(event.target.value)} />
            </Field>
            <Field label={t('newDataset.tags')} hint={t('newDataset.tagsHint')}>
              <TagsInput value={tags} onChange={setTags} />
            </Field>
            <Group label={t('newDataset.then')}>
              {(['import', 'open'] as const).map((item) => (
                <Check key={item} kind="radio" name="after" label={t(`newDataset.after.${item}`)} checked={after === item} onChange={() => setAfter(item)} />
              ))}
            </Group>
            {create.isError && !fields.name && <ProblemBox error={create.error} />}
            <div className="sg-row">
              <Primary type="submit" loading={create.isPending} disabled={!name || taken || !scenario} why={!scenario && t('newDataset.chooseScenario')}>
                {t('newDataset.create')}
              </Primary>
              <Plain onClick={() => void go('/datasets')}>{t('common.cancel')}</Plain>
            </div>
          </div>
        </Card>
      </form>
    </Page>
  );
}
