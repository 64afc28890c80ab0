import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import type { paths } from '../../shared/api/schema';

type Query = NonNullable<paths['/v1/datasets/{dataset}/neighbours']['get']['parameters']['query']>;
export type Filter = Pick<Query, 'label' | 'state' | 'part' | 'q' | 'sort'>;

/** The browser's filter and order, as the address has them. */
export function filterOf(params: URLSearchParams): Filter {
  const filter: Record<string, string> = {};
  for (const name of ['label', 'state', 'part', 'q', 'sort']) {
    const value = params.get(name);
    if (value) filter[name] = value;
  }
  return filter as Filter;
}

/** A sample with its annotation, as it is now. */
export const readSample = async (dataset: string, sample: string) =>
  (await unwrap(api.GET('/v1/datasets/{dataset}/samples/{sample}/annotation', { params: { path: { dataset, sample } } }))) as unknown as Schemas['SampleView'];

export const annotationQuery = (dataset: string, sample: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'annotation', sample],
    queryFn: () => readSample(dataset, sample),
    staleTime: 0,
    // While a picture is edited its state comes with every answer to an edit; another look could only be older.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

export const neighboursQuery = (dataset: string, sample: string | null, filter: Filter) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'neighbours', sample, filter],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/neighbours', { params: { path: { dataset }, query: { ...filter, ...(sample ? { sample } : {}), around: 12 } } })),
    placeholderData: keepPreviousData,
    staleTime: 2000,
  });
