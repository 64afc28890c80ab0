import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { api, ApiError, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { taskPath } from '../../shared/ui/TaskHeader';
import { BasicSection } from './BasicSection';
import { DataSection } from './DataSection';
import { body, choice, keepDraft, seconds, type Draft } from './form';
import { ModelSection } from './ModelSection';
import { ResourceSection } from './ResourceSection';
import { Summary, type Problem } from './Summary';
import { useLater } from './useLater';

export type SectionProps = {
  draft: Draft;
  set: (part: Partial<Draft>) => void;
  /** What the server said about fields when the form was sent. */
  errors: Record<string, string>;
};

/** The form with its four sections; what is missing or wrong stands in the summary and leads to its field. */
export function TaskForm({ start, keeps, copied }: { start: Draft; keeps: boolean; copied?: number }) {
  const { t, language } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const scenarios = useScenarioNames();
  const [draft, setDraft] = useState(start);
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  useEffect(() => {
    if (keeps) keepDraft(draft);
  }, [draft, keeps]);

  const scenario = scenarios.items.find((item) => item.id === draft.scenario);
  const settled = useLater(draft, 300);
  const typed = settled.name.trim();
  const name = useQuery({
    queryKey: ['name-check', typed, language],
    queryFn: () => unwrap(api.GET('/v1/tasks/name-check', { params: { query: { name: typed } } })),
    enabled: !draft.from && typed !== '',
  });
  const nameError = !draft.from && name.data && name.data.name === draft.name.trim() && !name.data.available ? name.data.message : null;
  const chosen = choice(settled);
  const check = useQuery({
    queryKey: ['data-check', chosen, language],
    queryFn: ({ signal }) => unwrap(api.POST('/v1/tasks/check', { body: chosen, signal })),
    enabled: chosen.scenario !== '' && chosen.train.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const create = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/tasks', { body: body(draft) })),
    onSuccess: (made) => {
      if (keeps) keepDraft(null);
      void client.invalidateQueries({ queryKey: ['tasks'] });
      void client.invalidateQueries({ queryKey: ['task', made.task] });
      void go(taskPath(made.task, made.version.number, 'training'));
    },
    onError: (error) => {
      const first = error instanceof ApiError ? Object.keys(error.fields)[0] : undefined;
      if (first) focusField(first.split('.')[0]!);
    },
  });
  const errors = create.error instanceof ApiError ? create.error.fields : {};
  const checked = draft.scenario !== '' && draft.train.length > 0 ? check.data : undefined;
  const problems: Problem[] = [
    !draft.from && draft.name.trim() === '' && { field: 'name', text: t('form.missing.name') },
    nameError && { field: 'name', text: nameError },
    draft.scenario === '' && { field: 'scenario', text: t('form.missing.scenario') },
    draft.train.length === 0 && { field: 'train', text: t('form.missing.train') },
    draft.validation.by === 'datasets' && draft.validation.datasets.length === 0 && { field: 'validation', text: t('form.missing.validation') },
    draft.test.by === 'datasets' && draft.test.datasets.length === 0 && { field: 'test', text: t('form.missing.test') },
    seconds(draft) === undefined && { field: 'max_seconds', text: t('form.missing.time') },
    draft.target !== '' && !(Number(draft.target) > 0 && Number(draft.target) <= 100) && { field: 'target_score', text: t('form.missing.target') },
    ...(checked?.findings ?? []).filter((finding) => finding.severity === 'error').map((finding) => ({ field: 'check', text: finding.message })),
  ].filter((item): item is Problem => Boolean(item));
  const shared = { draft, set, errors };

  return (
    <form
      className="sg-side"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (problems[0]) focusField(problems[0].field);
        else if (!create.isPending) create.mutate();
      }}
    >
      <div className="sg-stack" style={{ maxWidth: 960 }}>
        <BasicSection {...shared} copied={copied} nameError={nameError} nameFree={!nameError && name.data?.name === draft.name.trim() && name.data.available} />
        <DataSection {...shared} check={check} />
        <ModelSection {...shared} scenario={scenario} />
        <ResourceSection {...shared} />
      </div>
      <Summary draft={draft} check={checked} scenario={scenario?.name} problems={problems} sending={create.isPending} error={create.error} onCancel={() => void go(-1)} />
    </form>
  );
}

/** Bring a field into view and put the focus on it. */
export function focusField(name: string): void {
  const group = document.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`);
  const control = group?.querySelector<HTMLElement>('input, select, textarea, button') ?? group;
  group?.scrollIntoView({ block: 'center' });
  control?.focus({ preventScroll: true });
}
