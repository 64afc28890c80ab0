import { useMutation, useQueryClient } from '@tanstack/react-query';
import { say } from '../../../shared/ui/kit';
import { useErrorText } from '../../../shared/ui/Loaded';

/** Carries out a change of a service; shows the server's sentence when it is refused, and its new state either way. */
export function useChange(service: string, done?: () => void) {
  const client = useQueryClient();
  const errorText = useErrorText();
  return useMutation({
    mutationFn: (change: () => Promise<unknown>) => change(),
    onSuccess: () => done?.(),
    onError: (error) => {
      const { title, action } = errorText(error);
      say.failed(action ? `${title} ${action}` : title);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['service', service] });
    },
  });
}
