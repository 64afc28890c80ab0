import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { metricsQuery } from '../../shared/api/queries';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Select, Skeleton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';

const Chart = lazy(() => import('../../shared/charts/Chart'));
const MOST_SERIES = 5;
const DASHES = ['solid', 'dashed', 'dotted'] as const;
const MARKS = ['circle', 'rect', 'triangle', 'diamond', 'pin'] as const;

/** Curves of a run by what they measure (score, loss): one line for each candidate. */
export function Curves({ run, live }: { run: Schemas['RunOut']; live: boolean }) {
  const { t, language } = useText();
  const metrics = useQuery(metricsQuery(run.id, live));
  const [wanted, setWanted] = useState('score');
  return (
    <Loaded query={metrics}>
      {(data) => {
        const curves = Object.entries(data.curves).map(([key, points]) => {
          const cut = key.indexOf('/');
          return { what: cut < 0 ? key : key.slice(0, cut), name: cut < 0 ? key : key.slice(cut + 1), points };
        });
        const kinds = [...new Set(curves.map((curve) => curve.what))].sort((a, b) => Number(b === 'score') - Number(a === 'score'));
        const what = kinds.includes(wanted) ? wanted : (kinds[0] ?? 'score');
        const shown = curves.filter((curve) => curve.what === what).slice(-MOST_SERIES);
        const share = what === 'score';
        const value = (number: number) => (share ? percent(number, language) : String(Number(number.toPrecision(4))));
        const name = (kind: string) => t([`training.curves.${kind}`, 'training.curves.other'], { name: kind });
        return (
          <Card
            title={kinds.length > 1 ? t('training.curvesTitle') : name(what)}
            extra={
              kinds.length > 1 && (
                <Select aria-label={t('training.curve')} value={what} onChange={(event) => setWanted(event.target.value)}>
                  {kinds.map((kind) => (
                    <option key={kind} value={kind}>
                      {name(kind)}
                    </option>
                  ))}
                </Select>
              )
            }
          >
            {shown.length === 0 ? (
              <p className="sg-secondary">{t('training.noCurve')}</p>
            ) : (
              <Suspense fallback={<Skeleton />}>
                <Chart
                  name={`${run.task}-v${run.version}-${what}`}
                  height={220}
                  summary={share ? t('training.curveSummary', { best: percent(run.best_score, language) }) : t('training.lossSummary', { name: name(what) })}
                  table={{
                    head: [t('training.candidate'), t('training.seconds'), name(what)],
                    rows: shown.flatMap((curve) => curve.points.map((point) => [curve.name, Math.round(point.used), value(point.value)])),
                  }}
                  option={{
                    tooltip: { trigger: 'axis', valueFormatter: (number: unknown) => value(Number(number)) },
                    legend: { bottom: 0, type: 'scroll' },
                    grid: { left: 56, right: 16, top: 16, bottom: 60 },
                    xAxis: { type: 'value', name: t('training.minutes'), nameLocation: 'middle', nameGap: 24, min: 0 },
                    yAxis: { type: 'value', ...(share ? { min: (range: { min: number }) => Math.max(0, Math.floor(range.min * 10 - 0.5) / 10), max: 1 } : { scale: true }), axisLabel: { formatter: (number: number) => (share ? `${Math.round(number * 100)}%` : String(number)) } },
                    series: shown.map((curve, index) => ({
                      name: curve.name,
                      type: 'line',
                      lineStyle: { type: DASHES[index % DASHES.length] },
                      symbol: MARKS[index % MARKS.length],
                      symbolSize: 6,
                      showSymbol: curve.points.length < 40,
                      data: curve.points.map((point) => [Number((point.used / 60).toFixed(3)), point.value]),
                    })),
                  }}
                />
              </Suspense>
            )}
          </Card>
        );
      }}
    </Loaded>
  );
}
