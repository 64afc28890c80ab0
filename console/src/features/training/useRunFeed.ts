import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Schemas } from '../../shared/api/client';
import { isOver } from '../../shared/api/queries';

/** Follows a run by the server's event stream; the stream is let go while the page is hidden. */
export function useRunFeed(run: string | null, task: string, number: number): void {
  const client = useQueryClient();
  useEffect(() => {
    if (run === null) return;
    let source: EventSource | null = null;
    const refresh = () => {
      void client.invalidateQueries({ queryKey: ['metrics', run] });
    };
    const ended = () => {
      void client.invalidateQueries({ queryKey: ['task', task] });
      void client.invalidateQueries({ queryKey: ['evaluations', task] });
      refresh();
    };
    const open = () => {
      source = new EventSource(`/v1/runs/${encodeURIComponent(run)}/events`);
      source.addEventListener('run', (event) => {
        const view = JSON.parse((event as MessageEvent<string>).data) as Schemas['RunOut'];
        client.setQueryData(['task', task, number], (before: Schemas['TaskVersionOut'] | undefined) =>
          before ? { ...before, training_run: view } : before,
        );
        // A run that is over brings a model and an evaluation; this feed is let go before its last event comes.
        if (isOver(view.status)) ended();
      });
      source.addEventListener('candidate', refresh);
      source.addEventListener('metric', refresh);
      source.addEventListener('end', () => {
        source?.close();
        ended();
      });
    };
    const onVisibility = () => {
      source?.close();
      source = null;
      if (!document.hidden) open();
    };
    open();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      source?.close();
    };
  }, [run, task, number, client]);
}
