import { useQuery } from '@tanstack/react-query';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { Alert } from '../../shared/ui/kit';
import { LogLines } from '../../shared/ui/LogViewer';

const LINES = 10;

/** Why a run failed, what to do, and the last lines that it wrote. */
export function Failure({ run }: { run: Schemas['RunOut'] }) {
  const { t } = useText();
  const lines = useQuery({
    queryKey: ['log-tail', run.id, run.attempt, run.status],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/runs/{run}/logs', { params: { path: { run: run.id }, query: { tail: LINES } }, signal })),
    staleTime: Infinity,
  });
  if (!run.error) return null;
  return (
    <Alert theme="danger" title={run.error.message}>
      {run.error.action && <p>{run.error.action}</p>}
      <code className="sg-secondary">{run.error.code}</code>
      {lines.data && lines.data.items.length > 0 && (
        <>
          <h3 style={{ marginTop: 8 }}>{t('training.lastLines', { count: lines.data.items.length })}</h3>
          <LogLines lines={lines.data.items} />
        </>
      )}
    </Alert>
  );
}
