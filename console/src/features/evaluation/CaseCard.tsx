import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { picture } from '../../shared/api/queries';
import { PictureView, type Window } from '../../shared/canvas/PictureView';
import type { Point, Shape } from '../../shared/canvas/shapes';
import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { RIGHT, TRUTH, WRONG } from '../../shared/theme/palette';
import { Card, LinkButton } from '../../shared/ui/kit';
import { diff, Marked } from '../../shared/ui/TextDiff';

type Case = Schemas['CaseView'];

/** A sample that the model got wrong: truth and prediction side by side, and each difference in words. */
export function CaseCard({ item, data, pictures, threshold }: { item: Case; data: Schemas['EvaluationView']; pictures: boolean; threshold: number }) {
  const { t } = useText();
  const names = useScenarioNames();
  const parts = useScenarioParts(data.scenario);
  const nothing = t(parts.nothing ?? 'evaluation.nothing');
  const outlined = !parts.CasePanel;
  const [seen, setSeen] = useState<Window | null>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const shapes = (side: 'truth' | 'predicted'): Shape[] =>
    item.matches.flatMap((match, index) =>
      (side === 'truth' ? match.truth_polygons : match.predicted_polygons).map((points, part) => ({
        id: part === 0 ? `${index}` : `${index}.${part}`,
        points: points as unknown as Point[],
        look: side === 'truth' ? TRUTH : match.right ? RIGHT : WRONG,
        name: (side === 'truth' ? match.truth : match.predicted) ?? undefined,
        title: (side === 'truth' ? match.truth_text : match.predicted_text) ?? undefined,
      })),
    );
  const view = (side: 'truth' | 'predicted', title: string) => (
    <div>
      {title && <h3>{title}</h3>}
      <PictureView
        src={picture.test(data.id, item.position)}
        width={item.width}
        height={item.height}
        shapes={shapes(side)}
        selected={selected}
        onSelect={setSelected}
        label={title ? `${title}: ${item.path}` : item.path}
        window={seen}
        onWindow={setSeen}
        tall={420}
      />
    </div>
  );
  const origin = item.origin && `/datasets/${encodeURIComponent(item.origin.dataset)}/annotate/${encodeURIComponent(item.origin.sample)}`;
  return (
    <Card
      title={<span className="sg-cell-name">{item.path}</span>}
      extra={
        <>
          <span className="sg-secondary sg-figures">{`${item.width} × ${item.height}`}</span>
          <LinkButton small to={origin ?? ''} why={origin ? null : t('badcase.noOrigin')}>
            {t('badcase.correct')}
          </LinkButton>
        </>
      }
    >
      <div className="sg-stack">
        {pictures && (
          <div className={outlined ? 'sg-pair' : undefined}>
            {view('truth', outlined ? t('evaluation.truth') : '')}
            {outlined && view('predicted', t('evaluation.predicted'))}
          </div>
        )}
        {parts.CasePanel && <parts.CasePanel truth={item.truth ?? null} prediction={item.prediction} threshold={threshold} />}
        <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('badcase.differences')}>
          <table className="sg-table sg-tight">
            <thead>
              <tr>
                <th scope="col">{t('badcase.cause')}</th>
                <th scope="col">{t('evaluation.truth')}</th>
                <th scope="col">{t('evaluation.predicted')}</th>
                <th scope="col" className="sg-num">
                  {t('badcase.score')}
                </th>
              </tr>
            </thead>
            <tbody>
              {item.matches.map((match, index) => {
                const [left, right] = diff(match.truth_text ?? '', match.predicted_text ?? '') as [never, never];
                return (
                  <tr
                    key={index}
                    tabIndex={pictures ? 0 : undefined}
                    aria-selected={selected === `${index}`}
                    onMouseEnter={() => setSelected(`${index}`)}
                    onMouseLeave={() => setSelected(null)}
                    onFocus={() => setSelected(`${index}`)}
                  >
                    <td>
                      <span className="sg-tag" data-theme="danger">
                        {names.cause(data.scenario, match.cause)}
                      </span>
                    </td>
                    <td className="sg-cell-name">
                      <div className="sg-secondary sg-small">{match.truth ?? nothing}</div>
                      <Marked parts={left} />
                    </td>
                    <td className="sg-cell-name">
                      <div className="sg-secondary sg-small">{match.predicted ?? nothing}</div>
                      <Marked parts={right} />
                    </td>
                    <td className="sg-num">{match.predicted === null ? '-' : score(match.score)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </div>
    </Card>
  );
}
