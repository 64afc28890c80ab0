import type { Schemas } from '../../shared/api/client';
import type { Values } from '../../shared/ui/SchemaForm';

/** What the form of a new task holds; times are as typed. */
export type Draft = {
  name: string;
  description: string;
  tags: string;
  scenario: string;
  train: string[];
  validationPercent: number;
  test: string[];
  labels: string[] | null;
  amount: string;
  unit: 'min' | 'h' | 'none';
  target: string;
  preference: 'fastest' | 'balanced' | 'most_accurate';
  parameters: Values;
  spec: string;
  from: string | null;
};

export const EMPTY: Draft = {
  name: '',
  description: '',
  tags: '',
  scenario: '',
  train: [],
  validationPercent: 20,
  test: [],
  labels: null,
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
  if (!Number.isFinite(amount) || amount <= 0) return undefined;
  return amount * (draft.unit === 'h' ? 3600 : 60);
}

export const choice = (draft: Draft): Schemas['DataChoice'] => ({
  scenario: draft.scenario,
  train: draft.train,
  validation: [],
  test: draft.test,
  validation_percent: draft.validationPercent,
  test_percent: null,
  labels: draft.labels,
  label_map: {},
  use_marks: true,
  seed: 0,
});

/** The body that creates the task. */
export function body(draft: Draft): Schemas['NewTask'] {
  return {
    ...choice(draft),
    name: draft.from ? null : draft.name.trim(),
    new_version_of: draft.from,
    description: draft.description,
    tags: draft.tags.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean),
    max_seconds: seconds(draft) ?? null,
    target_score: draft.target === '' ? null : Number(draft.target) / 100,
    preference: draft.preference,
    parameters: draft.parameters,
    spec: draft.spec || null,
  };
}

/** A draft that repeats a version. */
export function fromVersion(version: Schemas['TaskVersionOut']): Draft {
  const settings = version.settings as {
    max_seconds: number | null;
    target_score: number | null;
    preference: Draft['preference'];
    parameters: Values;
    labels: string[] | null;
    validation_percent: number;
    spec: string;
  };
  const max = settings.max_seconds;
  return {
    ...EMPTY,
    scenario: version.scenario,
    train: [...(version.datasets.train ?? [])],
    test: [...(version.datasets.test ?? [])],
    labels: settings.labels,
    validationPercent: settings.validation_percent,
    amount: max === null ? '60' : String(Number((max / 60).toFixed(2))),
    unit: max === null ? 'none' : 'min',
    target: settings.target_score === null ? '' : String(settings.target_score * 100),
    preference: settings.preference,
    parameters: settings.parameters,
    spec: settings.spec,
    from: version.task,
  };
}

const KEY = 'sandglass.draft.task';

export function keepDraft(draft: Draft | null): void {
  if (draft === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(draft));
}

export function keptDraft(): Draft | null {
  const text = localStorage.getItem(KEY);
  if (text === null) return null;
  try {
    return { ...EMPTY, ...(JSON.parse(text) as Partial<Draft>) };
  } catch {
    keepDraft(null); // not ours: another version wrote it
    return null;
  }
}
