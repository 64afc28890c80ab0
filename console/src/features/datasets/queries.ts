import { keepPreviousData, queryOptions, type QueryClient } from '@tanstack/react-query';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { importRests } from '../../shared/api/queries';

export type Dataset = Schemas['DatasetView'];
export type Sample = Schemas['SampleView'];
export type Label = Schemas['LabelView'];
export type SampleFilter = { label?: string; state?: Sample['state']; part?: string; q?: string };
export type SampleSort = 'path' | 'updated' | 'doubt';

export const path = (dataset: string, ...rest: (string | number)[]) =>
  ['/datasets', dataset, ...rest].map((part, index) => (index ? encodeURIComponent(String(part)) : part)).join('/');

type ListQuery = {
  q?: string;
  scenario?: string;
  state?: Dataset['state'];
  sort?: 'updated' | 'created' | 'name' | 'pictures' | 'labelled' | 'size';
  descending?: boolean;
  limit: number;
  offset: number;
};

const moves = (dataset: Dataset) => dataset.state === 'importing';

export const datasetListQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ['datasets', 'list', query],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(moves) ? 1500 : 15_000),
  });

export const liveDatasetQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}', { params: { path: { dataset } } })),
    refetchInterval: ({ state }) => (state.data && moves(state.data) ? 1500 : 15_000),
  });

export const usesQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'uses'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/uses', { params: { path: { dataset } } })),
  });

export const nameQuery = (name: string) =>
  queryOptions({
    queryKey: ['datasets', 'name', name],
    queryFn: () => unwrap(api.GET('/v1/datasets', { params: { query: { name, limit: 1 } } })),
    enabled: name !== '',
  });

export const PAGE = 60;

/** One page of samples. Where the page before is known its cursor is followed, which is faster than counting. */
export const samplePageQuery = (
  client: QueryClient,
  dataset: string,
  revision: number,
  filter: SampleFilter,
  sort: SampleSort,
  annotations: boolean,
  page: number,
) => {
  const key = (number: number) => ['dataset', dataset, 'samples', revision, filter, sort, annotations, number];
  return queryOptions({
    queryKey: key(page),
    queryFn: ({ signal }) => {
      const cursor = page > 0 ? client.getQueryData<Schemas['Page_SampleView_']>(key(page - 1))?.next : null;
      const query = { ...filter, sort, annotations, limit: PAGE, ...(cursor ? { cursor } : { offset: page * PAGE }) };
      // The client makes plain lists of the points' pairs, which the schema knows better.
      return unwrap(
        api.GET('/v1/datasets/{dataset}/samples', { params: { path: { dataset }, query: query as never }, signal }),
      ) as Promise<Schemas['Page_SampleView_']>;
    },
    staleTime: Infinity,
    gcTime: 60_000,
  });
};

export const labelListQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'labels'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/labels', { params: { path: { dataset } } })),
  });

export const dictionaryQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'dictionary'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/dictionary', { params: { path: { dataset } } })),
  });

export const versionListQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'versions'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/versions', { params: { path: { dataset } } })),
  });

export const compareQuery = (
  dataset: string,
  revision: number,
  a: number,
  b: number | undefined,
  kind: Schemas['SampleChange']['kind'] | undefined,
  offset: number,
) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'compare', revision, a, b, kind, offset],
    queryFn: () =>
      unwrap(
        api.GET('/v1/datasets/{dataset}/compare', {
          params: { path: { dataset }, query: { a, b, kind, offset, limit: 50 } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export const importListQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['imports', dataset],
    queryFn: () => unwrap(api.GET('/v1/imports', { params: { query: { dataset, limit: 200 } } })),
    refetchInterval: ({ state }) => (state.data?.items.some((job) => !importRests(job.status)) ? 1500 : false),
  });

export const exportQuery = (id: string | null) =>
  queryOptions({
    queryKey: ['export', id],
    queryFn: () => unwrap(api.GET('/v1/exports/{export}', { params: { path: { export: id! } } })),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data?.status === 'writing' ? 700 : false),
  });

/** Everything that a change of a draft makes old. */
export const refresh = (client: QueryClient, dataset: string) =>
  Promise.all([
    client.invalidateQueries({ queryKey: ['dataset', dataset], predicate: (query) => query.queryKey[2] !== 'samples' }),
    client.invalidateQueries({ queryKey: ['datasets'] }),
    client.invalidateQueries({ queryKey: ['imports', dataset] }),
  ]);
