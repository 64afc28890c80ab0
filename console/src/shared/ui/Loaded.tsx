import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiError } from '../api/client';
import { timeOfDay } from '../format/format';
import { useText } from '../i18n';
import { Alert, CopyButton, Plain, Skeleton } from './kit';

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
      {code && (
        <span className="sg-row">
          <code className="sg-secondary">{code}</code>
          <CopyButton text={code} />
        </span>
      )}
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
        {query.isError && <Stale query={query} />}
        {props.children(query.data)}
      </>
    );
  if (query.isError) return <ProblemBox error={query.error} retry={() => void query.refetch()} />;
  return late ? <Skeleton rows={props.rows} /> : null;
}

/** What was loaded stays when a later look fails; the page says how old it is. */
function Stale({ query }: { query: UseQueryResult<unknown> }) {
  const { t } = useText();
  const { title } = useErrorText()(query.error);
  return (
    <div style={{ marginBottom: 16 }}>
      <Alert
        theme="warning"
        title={title}
        extra={
          <Plain size="small" loading={query.isFetching} onClick={() => void query.refetch()}>
            {t('common.retry')}
          </Plain>
        }
      >
        {t('shell.asOf', { time: timeOfDay(query.dataUpdatedAt) })}
      </Alert>
    </div>
  );
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
