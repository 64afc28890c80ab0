import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { importRests } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Bar, Card, Figure, LinkButton, Plain, Primary } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { FindingGroups } from './FindingGroups';
import { LabelMap } from './LabelMap';
import { mapOf, type Names } from './labelMap';
import { path, refresh } from './queries';

/** What the check found, before anything is stored; then how the storing goes and how it ended. */
export function ImportCheck({ job }: { job: Schemas['ImportOut'] }) {
  const { t, language } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const [names, setNames] = useState<Names>({});
  const rests = importRests(job.status);
  const seen = useSeen(job, client);
  const send = (what: 'confirm' | 'cancel') =>
    what === 'confirm'
      ? unwrap(api.POST('/v1/imports/{import_id}/confirm', { params: { path: { import_id: job.id } }, body: { label_map: mapOf(names) } }))
      : unwrap(api.POST('/v1/imports/{import_id}/cancel', { params: { path: { import_id: job.id } } }));
  const act = useMutation({
    mutationFn: send,
    onSuccess: (next) => {
      client.setQueryData(['import', job.id, language], next);
      void refresh(client, job.dataset);
    },
    onError: () => void client.invalidateQueries({ queryKey: ['import', job.id] }),
  });
  const download = (code?: string) => `/v1/imports/${job.id}/findings.csv${code ? `?code=${encodeURIComponent(code)}` : ''}`;
  return (
    <div className="sg-stack" style={{ maxWidth: 1100 }}>
      <Card
        title={t('importing.checkTitle')}
        extra={
          <>
            <StatusTag about="import" code={job.status} />
            <span className="sg-tag">{job.format === 'auto' ? t('importing.auto') : t('importing.detected', { format: job.format })}</span>
          </>
        }
      >
        <div className="sg-stack">
          {!rests && (
            <>
              <Bar value={job.progress} label={t('importing.progress')} />
              <p aria-live="polite" className="sg-figures">
                {job.status === 'checking' ? t('importing.checking', { count: job.found, shown: count(job.found) }) : t('importing.storing', { stored: count(job.stored), found: count(job.found) })}
              </p>
              <p className="sg-secondary">{t('importing.leave')}</p>
            </>
          )}
          {(job.status === 'checked' || job.status === 'importing' || job.status === 'done') && (
            <div className="sg-strip">
              <Figure label={t('importing.found')} value={count(job.found + job.left_out)} />
              <Figure label={t('importing.ready')} value={count(job.found)} />
              <Figure label={t('importing.leftOut')} value={count(job.left_out)} help={t('importing.leftOutHelp')} />
              {job.status === 'done' && <Figure label={t('importing.stored')} value={count(job.stored)} />}
            </div>
          )}
          {job.status === 'failed' && job.error && (
            <Alert theme="danger" title={job.error.message}>
              {job.error.action && <div>{job.error.action}</div>}
              <div>{t('importing.nothingKept')}</div>
              <code className="sg-secondary">{job.error.code}</code>
            </Alert>
          )}
          {job.status === 'cancelled' && <Alert theme="info" title={t('importing.cancelled')} />}
          {job.status === 'done' && <Alert theme="success" title={t('importing.doneTitle', { count: job.stored, shown: count(job.stored), name: job.dataset })} />}
          {job.findings.length > 0 && (
            <>
              <FindingGroups items={[...job.findings]} download={download} />
              <a href={download()} download>
                {t('findings.downloadAll')}
              </a>
            </>
          )}
          {job.status === 'checked' && job.findings.length === 0 && <p>{t('importing.noFindings')}</p>}
        </div>
      </Card>
      {job.status === 'checked' && Object.keys(job.labels).length > 0 && (
        <Card title={t(job.scenario === 'ocr' ? 'importing.mapFields' : 'importing.mapLabels')}>
          <LabelMap dataset={job.dataset} labels={job.labels} names={names} onChange={setNames} />
        </Card>
      )}
      {act.isError && <ProblemBox error={act.error} />}
      <div className="sg-row">
        {job.status === 'checked' && (
          <>
            <Primary loading={act.isPending && act.variables === 'confirm'} onClick={() => act.mutate('confirm')}>
              {job.left_out > 0
                ? t('importing.confirmWithout', { count: job.left_out, ready: count(job.found), out: count(job.left_out) })
                : t('importing.confirm', { count: job.found, ready: count(job.found) })}
            </Primary>
            <span className="sg-secondary">{t('importing.nothingYet')}</span>
          </>
        )}
        <span className="sg-grow" />
        {(job.status === 'checked' || !rests) && (
          <Plain loading={act.isPending && act.variables === 'cancel'} onClick={() => act.mutate('cancel')}>
            {t('importing.cancel')}
          </Plain>
        )}
        {job.status === 'done' && (
          <>
            <Plain onClick={() => void go(path(job.dataset, 'imports', 'new'))}>{t('importing.more')}</Plain>
            <LinkButton primary to={path(job.dataset)}>
              {t('importing.browse')}
            </LinkButton>
          </>
        )}
        {(job.status === 'failed' || job.status === 'cancelled') && seen && (
          <LinkButton primary to={path(job.dataset, 'imports', 'new')}>
            {t('importing.again')}
          </LinkButton>
        )}
      </div>
    </div>
  );
}

/** The dataset's pages are old once an import has ended. */
function useSeen(job: Schemas['ImportOut'], client: ReturnType<typeof useQueryClient>): boolean {
  const over = importRests(job.status);
  useEffect(() => {
    if (over) void refresh(client, job.dataset);
  }, [over, job.dataset, client]);
  return over;
}
