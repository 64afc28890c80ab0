import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../shared/api/client';
import { metricsQuery } from '../../shared/api/queries';
import { clock, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';

type Candidate = { name: string; status: string; score: number | null; seconds: number; error: string | null };

/** What was tried so far; the best one is marked. */
export function Candidates({ run, live }: { run: Schemas['RunOut']; live: boolean }) {
  const { t, language } = useText();
  const metrics = useQuery(metricsQuery(run.id, live));
  return (
    <Card title={t('training.candidates')}>
      <Loaded query={metrics}>
        {(data) => {
          const candidates = data.candidates as Candidate[];
          const best = Math.max(...candidates.map((item) => item.score ?? -1));
          return candidates.length === 0 ? (
            <p className="sg-secondary">{t('training.noCandidate')}</p>
          ) : (
            <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('training.candidates')}>
              <table className="sg-table sg-tight">
                <thead>
                  <tr>
                    <th scope="col">{t('training.candidate')}</th>
                    <th scope="col">{t('tasks.status')}</th>
                    <th scope="col" className="sg-num">
                      {t('training.score')}
                    </th>
                    <th scope="col" className="sg-num">
                      {t('training.time')}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {candidates.map((item) => (
                    <tr key={item.name}>
                      <td className="sg-cell-name">
                        {item.name} {item.score !== null && item.score === best && <span className="sg-tag sg-tag-small" data-theme="success">{t('training.bestTag')}</span>}
                      </td>
                      <td>
                        <StatusTag about="candidate" code={live || !['waiting', 'running'].includes(item.status) ? item.status : item.score !== null && item.score === best ? 'finished' : 'dropped'} title={item.error} />
                      </td>
                      <td className="sg-num">{percent(item.score, language)}</td>
                      <td className="sg-num">{clock(item.seconds)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
