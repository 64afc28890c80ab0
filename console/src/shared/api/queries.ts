import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap, type Schemas } from './client';
import type { paths } from './schema';

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never;

export const RUN_OVER = ['stopped', 'failed', 'succeeded'];
const SERVICE_STILL = ['sleeping', 'running', 'stopped', 'create_failed', 'arrears_stopped'];
export const isOver = (status: string | undefined) => status !== undefined && RUN_OVER.includes(status);

/** Milliseconds between looks at things that move; react-query stops them while the tab is hidden. */
const SOON = 1500;
const LATER = 5000;

export const scenariosQuery = () =>
  queryOptions({ queryKey: ['scenarios'], queryFn: () => unwrap(api.GET('/v1/scenarios')), staleTime: Infinity });

export const formatsQuery = (scenario?: string) =>
  queryOptions({
    queryKey: ['formats', scenario],
    queryFn: () => unwrap(api.GET('/v1/formats', { params: { query: { scenario } } })),
    staleTime: Infinity,
  });

export const specsQuery = () =>
  queryOptions({ queryKey: ['specs'], queryFn: () => unwrap(api.GET('/v1/specs')), staleTime: 60_000 });

export const activityQuery = () =>
  queryOptions({
    queryKey: ['activity'],
    queryFn: () => unwrap(api.GET('/v1/activity')),
    refetchInterval: LATER,
  });

export const tasksQuery = (query: Query<'/v1/tasks'> = {}) =>
  queryOptions({
    queryKey: ['tasks', query],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/tasks', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(taskMoves) ? 2500 : false),
  });

export const taskTagsQuery = () =>
  queryOptions({ queryKey: ['tasks', 'tags'], queryFn: () => unwrap(api.GET('/v1/tasks/tags')), staleTime: 30_000 });

const taskMoves = (task: Schemas['TaskView']) =>
  task.versions.some((version) =>
    version.stage === 'service' ? !SERVICE_STILL.includes(version.status) : !isOver(version.status),
  );

export const taskQuery = (task: string) =>
  queryOptions({
    queryKey: ['task', task],
    queryFn: () => unwrap(api.GET('/v1/tasks/{task}', { params: { path: { task } } })),
    refetchInterval: ({ state }) => (state.data && taskMoves(state.data) ? LATER : false),
  });

export const taskVersionQuery = (task: string, number: number) =>
  queryOptions({
    queryKey: ['task', task, number],
    queryFn: () => unwrap(api.GET('/v1/tasks/{task}/versions/{number}', { params: { path: { task, number } } })),
    refetchInterval: ({ state }) => {
      const runs = [state.data?.training_run, state.data?.evaluation_run];
      return runs.some((run) => run && !isOver(run.status)) ? SOON : false;
    },
  });

export const metricsQuery = (run: string, live: boolean) =>
  queryOptions({
    queryKey: ['metrics', run],
    queryFn: () => unwrap(api.GET('/v1/runs/{run}/metrics', { params: { path: { run } } })),
    refetchInterval: live ? 2500 : false,
  });

export const evaluationsQuery = (task: string, number: number) =>
  queryOptions({
    queryKey: ['evaluations', task, number],
    queryFn: () =>
      unwrap(api.GET('/v1/tasks/{task}/versions/{number}/evaluations', { params: { path: { task, number } } })),
    refetchInterval: ({ state }) => (state.data?.items.some((item) => !isOver(item.status)) ? SOON : false),
  });

export const evaluationQuery = (evaluation: string) =>
  queryOptions({
    queryKey: ['evaluation', evaluation],
    queryFn: () => unwrap(api.GET('/v1/evaluations/{evaluation}', { params: { path: { evaluation } } })),
    staleTime: Infinity,
  });

export const badcasesQuery = (evaluation: string, query: Query<'/v1/evaluations/{evaluation}/badcases'>) =>
  queryOptions({
    queryKey: ['badcases', evaluation, query],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/v1/evaluations/{evaluation}/badcases', { params: { path: { evaluation }, query }, signal }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export const testSamplesQuery = (evaluation: string, offset: number, limit: number) =>
  queryOptions({
    queryKey: ['test-samples', evaluation, offset, limit],
    queryFn: () =>
      unwrap(
        api.GET('/v1/evaluations/{evaluation}/samples', {
          params: { path: { evaluation }, query: { offset, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export const servicesQuery = (query: Query<'/v1/services'> = {}) =>
  queryOptions({
    queryKey: ['services', query],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/services', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((item) => !SERVICE_STILL.includes(item.status)) ? SOON : 10_000,
  });

export const serviceQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service],
    queryFn: () => unwrap(api.GET('/v1/services/{service}', { params: { path: { service } } })),
    refetchInterval: ({ state }) =>
      state.data && SERVICE_STILL.includes(state.data.status) ? 10_000 : SOON,
  });

export const datasetsQuery = (query: Query<'/v1/datasets'> = {}) =>
  queryOptions({
    queryKey: ['datasets', query],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });

export const datasetQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}', { params: { path: { dataset } } })),
  });

export const labelsQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'labels'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/labels', { params: { path: { dataset } } })),
  });

export const versionsQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'versions'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/versions', { params: { path: { dataset } } })),
  });

export const sampleQuery = (dataset: string, sample: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'sample', sample],
    queryFn: () =>
      unwrap(api.GET('/v1/datasets/{dataset}/samples/{sample}', { params: { path: { dataset, sample } } })),
  });

export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['import', id],
    queryFn: () => unwrap(api.GET('/v1/imports/{import_id}', { params: { path: { import_id: id } } })),
    refetchInterval: ({ state }) => (state.data && importRests(state.data.status) ? false : 700),
  });

export const importsQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['imports', dataset],
    queryFn: () => unwrap(api.GET('/v1/imports', { params: { query: { dataset } } })),
  });

/** Whether an import waits for a person or is over. */
export const importRests = (status: string) => ['checked', 'done', 'failed', 'cancelled'].includes(status);

export const picture = {
  example: (scenario: string, preset: string) => `/v1/examples/${encodeURIComponent(scenario)}/${encodeURIComponent(preset)}/picture`,
  sample: (dataset: string, sample: string, size?: number) =>
    `/v1/datasets/${encodeURIComponent(dataset)}/samples/${encodeURIComponent(sample)}/picture${size ? `?size=${size}` : ''}`,
  test: (evaluation: string, position: number, size?: number) =>
    `/v1/evaluations/${encodeURIComponent(evaluation)}/samples/${position}/picture${size ? `?size=${size}` : ''}`,
};
