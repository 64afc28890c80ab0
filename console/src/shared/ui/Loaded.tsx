import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiError } from '../api/client';
import { useText } from '../i18n';
import { Alert, Plain, Skeleton } from './kit';

/** The sentence for an error: the server's own where there is one. */
export function useErrorText() {
  const { t } = useText();
  return (error: unknown): { title: string; action: string; code: string } => {
    if (error instanceof ApiError) {
      if (error.status === 0) return { title: t('error.offline'), action: t('error.offlineAction'), code: error.code };
      return { title: error.message || t('error.unknown'), action: error.action ?? '', code: error.code };
    }
    return { title: t('error.unknown'), action: String(error), code: '' };
  };
}

export function ProblemBox({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useText();
  const { title, action, code } = useErrorText()(error);
  return (
    <Alert
      theme="danger"
      title={title}
      extra={
        retry && (
          <Plain size="small" onClick={retry}>
            {t('common.retry')}
          </Plain>
        )
      }
    >
      {action && <div>{action}</div>}
      {code && <code className="sg-secondary">{code}</code>}
    </Alert>
  );
}

/** Loading, error and content of one question to the server; what was loaded stays when a later look fails. */
export function Loaded<T>(props: { query: UseQueryResult<T>; rows?: number; children: (data: T) => ReactNode }) {
  const { query } = props;
  const late = useLate(query.isPending, 200);
  if (query.data !== undefined)
    return (
      <>
        {query.isError && <ProblemBox error={query.error} retry={() => void query.refetch()} />}
        {props.children(query.data)}
      </>
    );
  if (query.isError) return <ProblemBox error={query.error} retry={() => void query.refetch()} />;
  return late ? <Skeleton rows={props.rows} /> : null;
}

function useLate(waiting: boolean, milliseconds: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setLate(true), milliseconds);
    return () => clearTimeout(timer);
  }, [waiting, milliseconds]);
  return late;
}
