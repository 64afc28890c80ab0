import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { api, unwrap } from '../../shared/api/client';
import { labelsQuery } from '../../shared/api/queries';
import type { Labels } from '../../shared/scenario/annotation';
import { labelLook, NEUTRAL } from '../../shared/theme/palette';

/** Labels of a dataset; one that a person adds is there at once and told to the server, at the latest with its first use. */
export function useLabels(dataset: string, documents: boolean): Labels {
  const queries = useQueryClient();
  const query = useQuery(labelsQuery(dataset));
  const dictionary = useQuery({
    queryKey: ['dataset', dataset, 'dictionary'],
    queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}/dictionary', { params: { path: { dataset } } })),
    enabled: documents,
  });
  const [added, setAdded] = useState<readonly string[]>([]);
  const told = query.data?.items;
  const items = useMemo(() => {
    const known = (told ?? []).map((item) => ({ name: item.label, colour: item.colour, count: item.samples }));
    // Digits belong to places in the list, so its order must not change while a person works: by colour, that is by age.
    known.sort((one, other) => one.colour - other.colour || one.name.localeCompare(other.name));
    const names = new Set(known.map((item) => item.name));
    return [...known, ...added.filter((name) => !names.has(name)).map((name, place) => ({ name, colour: known.length + place, count: 0 }))];
  }, [told, added]);
  const create = useCallback(
    (name: string) => {
      setAdded((before) => (before.includes(name) ? before : [...before, name]));
      void unwrap(api.POST('/v1/datasets/{dataset}/labels', { params: { path: { dataset } }, body: { label: name } }))
        .then(() => queries.invalidateQueries({ queryKey: labelsQuery(dataset).queryKey }))
        .catch(() => undefined); // without a network the label goes along with the first edit that uses it
    },
    [dataset, queries],
  );
  return useMemo((): Labels => {
    const colours = new Map(items.map((item) => [item.name, item.colour]));
    return {
      items,
      look: (name) => (name === null || !colours.has(name) ? NEUTRAL : labelLook(colours.get(name)!)),
      create,
      dictionary: dictionary.data?.keys ?? {},
    };
  }, [items, create, dictionary.data]);
}
