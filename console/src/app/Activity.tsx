import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { LoadingIcon } from 'tdesign-icons-react';
import { ApiError } from '../shared/api/client';
import { activityQuery } from '../shared/api/queries';
import { percent, timeOfDay } from '../shared/format/format';
import { useText } from '../shared/i18n';
import { Bar, Tip } from '../shared/ui/kit';
import { Popover } from '../shared/ui/Popover';
import { StatusTag } from '../shared/ui/Status';
import { taskPath } from '../shared/ui/TaskHeader';

/** What goes on now, with the way to it; and whether what the pages show may be old. */
export function Activity() {
  const { t } = useText();
  const { data, error, dataUpdatedAt } = useQuery(activityQuery());
  const lost = error instanceof ApiError && error.status === 0;
  if (!data) return lost ? <Lost text={t('shell.lost')} /> : null;
  const count = data.runs.length + data.imports.length;
  return (
    <>
      {lost && <Lost text={t('shell.asOf', { time: timeOfDay(dataUpdatedAt) })} />}
      <Popover
        label={t('shell.activity')}
        className="sg-pill"
        button={
          <>
            {count > 0 && <LoadingIcon className="sg-spin" />}
            {count > 0 ? t('shell.atWork', { count }) : t('shell.idle')}
          </>
        }
      >
        <ul className="sg-activity">
            {data.runs.map((run) => (
              <li key={run.id}>
                <div className="sg-spread">
                  {run.task !== null && run.version !== null ? (
                    <Link to={taskPath(run.task, run.version, run.kind === 'training' ? 'training' : 'evaluations')} className="sg-ellipsis">
                      {t('shell.run', { task: run.task, version: run.version, kind: t(`shell.kinds.${run.kind}`) })}
                    </Link>
                  ) : (
                    <Link to={`/datasets/${encodeURIComponent(run.dataset ?? '')}`} className="sg-ellipsis">
                      {`${run.dataset} · ${t(`shell.kinds.${run.kind}`)}`}
                    </Link>
                  )}
                  <StatusTag about="run" code={run.status} />
                </div>
                <Progress value={run.progress} label={run.task ?? run.dataset ?? run.id} />
              </li>
            ))}
            {data.imports.map((job) => (
              <li key={job.id}>
                <div className="sg-spread">
                  <Link to={`/datasets/${encodeURIComponent(job.dataset)}/imports/${job.id}`} className="sg-ellipsis">
                    {t('shell.importInto', { dataset: job.dataset })}
                  </Link>
                  <StatusTag about="import" code={job.status} />
                </div>
                <Progress value={job.progress} label={job.dataset} />
              </li>
            ))}
            {count === 0 && <li className="sg-secondary">{t('shell.idleText')}</li>}
            <li>
              <Link to="/services">{t('shell.services', { count: data.services })}</Link>
            </li>
            <li className="sg-secondary sg-small sg-figures">
              {t('shell.asOf', { time: timeOfDay(dataUpdatedAt) })}
            </li>
          </ul>
      </Popover>
    </>
  );
}

function Progress({ value, label }: { value: number; label: string }) {
  const { language } = useText();
  return (
    <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
      <span className="sg-grow">
        <Bar value={value} label={label} />
      </span>
      <span className="sg-small sg-figures">{percent(value, language)}</span>
    </div>
  );
}

function Lost({ text }: { text: string }) {
  const { t } = useText();
  return (
    <Tip text={`${t('error.offline')} ${t('error.offlineAction')}`}>
      <span className="sg-tag" data-theme="warning" role="status" tabIndex={0}>
        {text}
      </span>
    </Tip>
  );
}
