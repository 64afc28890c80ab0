import type { Schemas } from '../../shared/api/client';
import { keep, kept } from '../../shared/ui/keep';
import type { Values } from '../../shared/ui/SchemaForm';

/** Where a part of the data comes from: a share of the training set, or datasets of its own. */
export type Part = { by: 'percent' | 'datasets'; percent: number; datasets: string[] };

/** What the form of a new task holds; times are as typed, datasets as `NAME` (its draft) or `NAME@v2`. */
export type Draft = {
  name: string;
  description: string;
  tags: string;
  scenario: string;
  train: string[];
  validation: Part;
  test: Part;
  useMarks: boolean;
  excludeDuplicates: boolean;
  labels: string[] | null;
  labelMap: Record<string, string>;
  amount: string;
  unit: 'min' | 'h' | 'none';
  target: string;
  preference: 'fastest' | 'balanced' | 'most_accurate';
  parameters: Values;
  spec: string;
  /** Task that this is a new version of. */
  from: string | null;
};

export const EMPTY: Draft = {
  name: '',
  description: '',
  tags: '',
  scenario: '',
  train: [],
  validation: { by: 'percent', percent: 20, datasets: [] },
  test: { by: 'percent', percent: 20, datasets: [] },
  useMarks: true,
  excludeDuplicates: false,
  labels: null,
  labelMap: {},
  amount: '60',
  unit: 'min',
  target: '',
  preference: 'balanced',
  parameters: {},
  spec: '',
  from: null,
};

/** Seconds of the time limit; null = no limit, undefined = not a time. */
export function seconds(draft: Pick<Draft, 'amount' | 'unit'>): number | null | undefined {
  if (draft.unit === 'none') return null;
  const amount = Number(draft.amount);
  if (draft.amount.trim() === '' || !Number.isFinite(amount) || amount <= 0) return undefined;
  return amount * (draft.unit === 'h' ? 3600 : 60);
}

/** What the data check needs; a test percentage is sent only where no test dataset is given. */
export const choice = (draft: Draft): Schemas['DataChoice'] => ({
  scenario: draft.scenario,
  train: draft.train,
  validation: draft.validation.by === 'datasets' ? draft.validation.datasets : [],
  test: draft.test.by === 'datasets' ? draft.test.datasets : [],
  validation_percent: draft.validation.percent,
  test_percent: draft.test.by === 'percent' ? draft.test.percent : null,
  labels: draft.labels,
  label_map: draft.labelMap,
  use_marks: draft.useMarks,
  exclude_duplicates: draft.excludeDuplicates,
  seed: 0,
});

/** The body that creates the task. */
export function body(draft: Draft): Schemas['NewTask'] {
  return {
    ...choice(draft),
    name: draft.from ? null : draft.name.trim(),
    new_version_of: draft.from,
    description: draft.description,
    tags: tagsOf(draft),
    max_seconds: seconds(draft) ?? null,
    target_score: draft.target === '' ? null : Number(draft.target) / 100,
    preference: draft.preference,
    parameters: draft.parameters,
    spec: draft.spec || null,
  };
}

export const tagsOf = (draft: Draft) => draft.tags.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean);

/** The draft under another scenario: what does not fit it is dropped; the names of what was dropped come second. */
export function withScenario(draft: Draft, scenario: string, parameters: Values = {}): [Draft, ('train' | 'validation' | 'test' | 'labels' | 'parameters')[]] {
  const dropped = [
    draft.train.length > 0 && ('train' as const),
    draft.validation.datasets.length > 0 && ('validation' as const),
    draft.test.datasets.length > 0 && ('test' as const),
    (draft.labels !== null || Object.keys(draft.labelMap).length > 0) && ('labels' as const),
    Object.keys(draft.parameters).length > 0 && ('parameters' as const),
  ].filter((item) => item !== false);
  const emptied = (part: Part): Part => ({ ...part, by: part.datasets.length > 0 ? 'percent' : part.by, datasets: [] });
  return [
    { ...draft, scenario, train: [], validation: emptied(draft.validation), test: emptied(draft.test), labels: null, labelMap: {}, parameters },
    draft.scenario === '' || draft.scenario === scenario ? [] : dropped,
  ];
}

type Stored = {
  max_seconds: number | null;
  target_score: number | null;
  preference: Draft['preference'];
  parameters: Values;
  labels: string[] | null;
  label_map: Record<string, string>;
  use_marks: boolean;
  exclude_duplicates?: boolean;
  validation_percent: number;
  test_percent: number | null;
  spec: string;
};

/** A draft that repeats a version: as a new version of its task, or as a copy under a new name. */
export function fromVersion(version: Schemas['TaskVersionOut'], as: 'version' | 'copy'): Draft {
  const settings = version.settings as Stored;
  const max = settings.max_seconds;
  const part = (datasets: string[], percent: number): Part => ({ by: datasets.length > 0 ? 'datasets' : 'percent', percent, datasets });
  return {
    ...EMPTY,
    name: as === 'copy' ? `${version.task.slice(0, 55)}-copy` : '',
    scenario: version.scenario,
    train: [...(version.datasets.train ?? [])],
    validation: part([...(version.datasets.validation ?? [])], settings.validation_percent),
    test: part([...(version.datasets.test ?? [])], settings.test_percent ?? EMPTY.test.percent),
    useMarks: settings.use_marks,
    excludeDuplicates: settings.exclude_duplicates ?? false,
    labels: settings.labels,
    labelMap: settings.label_map,
    amount: max === null ? '60' : String(Number((max / 60).toFixed(2))),
    unit: max === null ? 'none' : 'min',
    target: settings.target_score === null ? '' : String(Number((settings.target_score * 100).toFixed(4))),
    preference: settings.preference,
    parameters: settings.parameters,
    spec: settings.spec,
    from: as === 'version' ? version.task : null,
  };
}

const KEY = 'draft.task';
export const keepDraft = (draft: Draft | null) => keep(KEY, draft ?? undefined);
export const keptDraft = (): Draft => ({ ...EMPTY, ...kept<Partial<Draft>>(KEY, {}) });
