import { lazy, Suspense, useMemo, useState } from 'react';
import { percent, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { MATRIX } from '../../shared/theme/palette';
import { useMode } from '../../shared/theme/mode';
import { Card, Select, Skeleton } from '../../shared/ui/kit';
import { curve, matrix, type Results } from './numbers';

const Chart = lazy(() => import('../../shared/charts/Chart'));

type Props = {
  /** Beginning of the names of saved files. */
  name: string;
  results: Results;
  step: number;
  exact: boolean;
  nothing: string;
  onThreshold: (threshold: number) => void;
  onCell: (truth: string | null, predicted: string | null) => void;
};

/** Precision over recall, and what was taken for what; both move with the threshold. */
export function Charts(props: Props) {
  const { t, language } = useText();
  const { shown } = useMode();
  const [label, setLabel] = useState<string>('');
  const { results, step, exact } = props;
  const curveName = label ? t('evaluation.curveOf', { label }) : t('evaluation.curve');
  const points = useMemo(() => curve(results, label || null, exact), [results, label, exact]);
  const present = points[step]!;
  const confusion = useMemo(() => matrix(results, step), [results, step]);
  const nameOf = (value: string | null) => value ?? props.nothing;
  const most = Math.max(1, ...confusion.cells.map((cell) => cell[2]));
  return (
    <div className="sg-two">
      <Card
        title={curveName}
        extra={
          <Select aria-label={t('evaluation.label')} value={label} onChange={(event) => setLabel(event.target.value)}>
            <option value="">{t('evaluation.allLabels')}</option>
            {results.labels.map((item) => (
              <option key={item.label} value={item.label}>
                {item.label}
              </option>
            ))}
          </Select>
        }
      >
        <Suspense fallback={<Skeleton />}>
          <Chart
            name={`${props.name}-curve`}
            height={300}
            summary={t('evaluation.curveSummary', { threshold: score(present.threshold), precision: percent(present.precision, language), recall: percent(present.recall, language) })}
            table={{
              head: [t('evaluation.threshold'), t('evaluation.precision'), t('evaluation.recall')],
              rows: points.map((point) => [score(point.threshold), percent(point.precision, language), percent(point.recall, language)]),
            }}
            onClick={({ dataIndex }) => {
              const point = points[dataIndex];
              if (point) props.onThreshold(point.threshold);
            }}
            option={{
              tooltip: { formatter: (item: { dataIndex: number }) => (points[item.dataIndex] ? `${t('evaluation.threshold')} ${score(points[item.dataIndex]!.threshold)}` : '') },
              xAxis: { type: 'value', min: 0, max: 1, name: t('evaluation.recall'), nameLocation: 'middle', nameGap: 26 },
              yAxis: { type: 'value', min: 0, max: 1, name: t('evaluation.precision') },
              series: [
                { type: 'line', showSymbol: true, symbolSize: 8, data: points.map((point) => [point.recall, point.precision]) },
                { type: 'scatter', symbolSize: 16, z: 3, silent: true, data: [[present.recall, present.precision]] },
              ],
            }}
          />
        </Suspense>
      </Card>
      <Card title={t('evaluation.confusion')}>
        <Suspense fallback={<Skeleton />}>
          <Chart
            name={`${props.name}-confusion`}
            height={Math.max(300, confusion.names.length * 28 + 80)}
            summary={t('evaluation.confusionSummary')}
            table={{
              head: [t('evaluation.truth'), t('evaluation.predicted'), t('evaluation.number')],
              rows: confusion.cells.map(([predicted, truth, number]) => [nameOf(confusion.names[truth]!), nameOf(confusion.names[predicted]!), number]),
            }}
            onClick={({ value }) => {
              const [predicted, truth] = value as [number, number, number];
              props.onCell(confusion.names[truth]!, confusion.names[predicted]!);
            }}
            option={{
              grid: { left: 120, right: 16, top: 16, bottom: 72 },
              tooltip: {},
              xAxis: { type: 'category', data: confusion.names.map(nameOf), name: t('evaluation.predicted'), nameLocation: 'middle', nameGap: 52, axisLabel: { rotate: confusion.names.length > 5 ? 40 : 0, width: 84, overflow: 'truncate' } },
              yAxis: { type: 'category', data: confusion.names.map(nameOf), name: t('evaluation.truth'), nameLocation: 'middle', nameGap: 100, inverse: true, axisLabel: { width: 84, overflow: 'truncate' } },
              visualMap: { min: 0, max: most, show: false, inRange: { color: [...MATRIX[shown]] } },
              series: [{ type: 'heatmap', data: confusion.cells, label: { show: true } }],
            }}
          />
        </Suspense>
      </Card>
    </div>
  );
}
