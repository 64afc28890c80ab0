import { useQuery } from '@tanstack/react-query';
import { scenariosQuery } from '../api/queries';
import { useText } from '../i18n';

/** Names of scenarios and causes as the server says them in the present language. */
export function useScenarioNames() {
  const { language } = useText();
  const query = useQuery({ ...scenariosQuery(), queryKey: ['scenarios', language] });
  const { data } = query;
  const find = (id: string) => data?.items.find((item) => item.id === id);
  return {
    query,
    items: data?.items ?? [],
    name: (id: string) => find(id)?.name ?? id,
    cause: (id: string, code: string | null | undefined) => (code ? (find(id)?.causes[code] ?? code) : ''),
  };
}
