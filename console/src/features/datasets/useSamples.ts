import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { PAGE, samplePageQuery, type Dataset, type Sample, type SampleFilter, type SampleSort } from './queries';

/** The samples of a filter by their place, loaded page by page around what is seen. */
export function useSamples(dataset: Dataset, filter: SampleFilter, sort: SampleSort, annotations: boolean, first: number, last: number) {
  const client = useQueryClient();
  const query = (page: number) => samplePageQuery(client, dataset.name, dataset.revision, filter, sort, annotations, page);
  const from = Math.max(0, Math.floor(first / PAGE));
  const to = Math.max(from, Math.floor(last / PAGE));
  const pages = useQueries({ queries: Array.from({ length: to - from + 1 }, (_, step) => query(from + step)) });
  const at = (place: number): Sample | undefined => pages[Math.floor(place / PAGE) - from]?.data?.items[place % PAGE];
  const known = pages.find((page) => page.data)?.data;
  const failed = pages.find((page) => page.isError);
  /** Samples of places that may not be loaded yet. */
  const fetchAll = useCallback(
    async (places: number[]): Promise<Sample[]> => {
      const wanted = [...new Set(places.map((place) => Math.floor(place / PAGE)))];
      const loaded = new Map<number, Sample[]>();
      for (const page of wanted) {
        const got = await client.fetchQuery(
          samplePageQuery(client, dataset.name, dataset.revision, filter, sort, annotations, page),
        );
        loaded.set(page, got.items);
      }
      return places.flatMap((place) => loaded.get(Math.floor(place / PAGE))?.[place % PAGE] ?? []);
    },
    [client, dataset.name, dataset.revision, filter, sort, annotations],
  );
  return { at, total: known?.total, failed, fetchAll, retry: () => pages.forEach((page) => void page.refetch()) };
}
