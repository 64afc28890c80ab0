import { useSuspenseQuery } from '@tanstack/react-query';
import type { ScenarioParts } from './contract';

const loaders = new Map<string, () => Promise<{ default: ScenarioParts }>>();

/** Say where the parts of a scenario are; they are loaded when a page first needs them. */
export function registerScenario(id: string, load: () => Promise<{ default: ScenarioParts }>): void {
  loaders.set(id, load);
}

/** The parts of a scenario; a scenario that the console does not know has none and is shown in a generic way. */
export function useScenarioParts(id: string): ScenarioParts {
  const { data } = useSuspenseQuery({
    queryKey: ['scenario-parts', id],
    queryFn: async () => (await loaders.get(id)?.())?.default ?? {},
    staleTime: Infinity,
  });
  return data;
}
