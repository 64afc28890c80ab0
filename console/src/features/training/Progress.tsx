import type { Schemas } from '../../shared/api/client';
import { isOver } from '../../shared/api/queries';
import { clock, duration, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Bar, Card, Figure } from '../../shared/ui/kit';
import { useNow } from '../../shared/ui/useNow';

type Run = Schemas['RunOut'];

/** When this state of the run reached the page, in milliseconds: from then on the clock of the page goes on by itself. */
const seenAt = new WeakMap<Run, number>();
function useSince(run: Run, live: boolean): number {
  const now = useNow(live);
  if (!seenAt.has(run)) seenAt.set(run, now);
  return live && (run.status === 'running' || run.status === 'stopping') ? Math.max(0, (now - (seenAt.get(run) ?? now)) / 1000) : 0;
}

export function Figures({ run, live }: { run: Run; live: boolean }) {
  const { t, language } = useText();
  const since = useSince(run, live);
  const limit = run.max_seconds;
  const used = limit === null ? run.used_seconds + since : Math.min(run.used_seconds + since, Math.max(limit, run.used_seconds));
  const left = run.left_seconds === null ? null : Math.max(0, run.left_seconds - since);
  const expected = run.expected_seconds === null ? null : Math.max(0, run.expected_seconds - since);
  const stage = run.stages.at(-1);
  return (
    <Card>
      <div className="sg-stack">
        <div className="sg-strip">
          <Figure label={t('training.elapsed')} value={clock(used)} />
          <Figure
            label={t('training.maximum')}
            help={t('form.maxTimeHelp')}
            value={limit === null ? t('form.noLimit') : clock(limit)}
            note={left === null || !live ? undefined : t('training.timeLeft', { time: duration(left, language) })}
          />
          {live && <Figure label={t('training.expected')} value={expected === null ? '-' : `~${duration(expected, language)}`} />}
          <Figure
            label={t('training.best')}
            help={t('training.bestHelp')}
            value={percent(run.best_score, language)}
            note={run.best_at === null ? undefined : t('training.bestAt', { time: clock(run.best_at) })}
          />
          {run.reason && <Figure label={t('training.ended')} value={<span className="sg-figure-text">{t(`reason.${run.reason}`)}</span>} />}
        </div>
        <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
          <span className="sg-grow">
            <Bar value={run.progress} label={t('task.progress')} />
          </span>
          <span className="sg-num">{percent(run.progress, language)}</span>
        </div>
        {live && stage && (
          <p className="sg-secondary">{t('training.stageNow', { stage: t([`stage.${stage.name}`, 'stage.other'], { name: stage.name }), time: duration(stage.seconds + since, language) })}</p>
        )}
      </div>
    </Card>
  );
}

export function Stages({ run }: { run: Run }) {
  const { t, language } = useText();
  const over = isOver(run.status);
  return (
    <Card title={t('training.stages')}>
      <ol className="sg-stages">
        {run.stages.map((stage, index) => {
          const present = index === run.stages.length - 1 && !over;
          const failed = index === run.stages.length - 1 && run.status === 'failed';
          return (
            <li key={`${stage.name}-${stage.started}`} aria-current={present ? 'step' : undefined}>
              <span aria-hidden className={present ? 'sg-spin' : failed ? 'sg-error' : 'sg-secondary'}>
                {present ? '◌' : failed ? '✗' : '✓'}
              </span>
              <span className="sg-grow">{t([`stage.${stage.name}`, 'stage.other'], { name: stage.name })}</span>
              <span className="sg-secondary sg-figures">{clock(stage.seconds)}</span>
            </li>
          );
        })}
        {run.stages.length === 0 && <li className="sg-secondary">{t('training.noStage')}</li>}
      </ol>
      {run.attempt > 1 && <p className="sg-secondary sg-small" style={{ marginTop: 8 }}>{t('training.attempt', { count: run.attempt, duration: duration(run.used_seconds, language) })}</p>}
    </Card>
  );
}
