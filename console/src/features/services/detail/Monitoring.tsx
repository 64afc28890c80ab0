import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, unwrap, type Schemas } from '../../../shared/api/client';
import Chart from '../../../shared/charts/Chart';
import { count, latency, moment, percent, timeOfDay, type Language } from '../../../shared/format/format';
import { useText } from '../../../shared/i18n';
import { Card, Chip, Empty, Field, Figure, Input, Plain, Select } from '../../../shared/ui/kit';
import { Loaded } from '../../../shared/ui/Loaded';
import { useAddress } from '../../../shared/ui/useAddress';

type Metrics = Schemas['ServiceMetrics'];
type Series = Metrics['series'][number];
type Point = NonNullable<Series['points'][number]>;
type By = 'service' | 'version' | 'instance';
const RANGES = ['1h', '24h', '7d'] as const;
const REFRESH = { '1h': 10_000, '24h': 60_000, '7d': 300_000 } as const;

/** Curves of calls, latency, processor and memory; all charts show the same range, and what was not recorded is a gap. */
export default function Monitoring({ service }: { service: Schemas['ServiceOut'] }) {
  const { t, language } = useText();
  const [range, setRange] = useAddress('range');
  const [by, setBy] = useAddress('by');
  const [span, setSpan] = useAddress('span');
  const [from = '', to = ''] = span.split('~');
  const shownBy = (by || 'service') as By;
  const shownRange = RANGES.find((item) => item === range) ?? '1h';
  const custom = range === 'custom';
  const query = useQuery({
    queryKey: ['service', service.name, 'metrics', range, by, from, to],
    queryFn: () =>
      unwrap(
        api.GET('/v1/services/{service}/metrics', {
          params: {
            path: { service: service.name },
            query: custom && from ? { start: from, end: to || undefined, by: shownBy } : { range: shownRange, by: shownBy },
          },
        }),
      ),
    refetchInterval: custom ? false : REFRESH[shownRange],
    placeholderData: (before) => before,
  });
  return (
    <div className="sg-stack">
      <Card
        title={t('svc.tabs.monitoring')}
        extra={
          <>
            {RANGES.map((item) => (
              <Chip key={item} on={!custom && shownRange === item} onClick={() => setRange(item)}>
                {t(`svc.range.${item}`)}
              </Chip>
            ))}
            <Chip on={custom} onClick={() => setRange('custom')}>
              {t('svc.range.custom')}
            </Chip>
            <Select aria-label={t('svc.by.label')} value={shownBy} onChange={(event) => setBy(event.target.value === 'service' ? '' : event.target.value)}>
              {(['service', 'version', 'instance'] as const).map((item) => (
                <option key={item} value={item}>
                  {t(`svc.by.${item}`)}
                </option>
              ))}
            </Select>
          </>
        }
      >
        {custom && (
          <Custom
            from={from}
            to={to}
            apply={(start, end) => setSpan(`${start}~${end}`)}
          />
        )}
        <Loaded query={query}>{(data) => <Totals data={data} language={language} />}</Loaded>
      </Card>
      {query.data && <Charts data={query.data} language={language} />}
    </div>
  );
}

function Custom({ from, to, apply }: { from: string; to: string; apply: (from: string, to: string) => void }) {
  const { t } = useText();
  const local = (iso: string) => (iso ? new Date(new Date(iso).getTime() - new Date(iso).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '');
  const [start, setStart] = useState(local(from));
  const [end, setEnd] = useState(local(to));
  const wrong = start === '' || (end !== '' && end <= start);
  return (
    <div className="sg-row" style={{ alignItems: 'flex-end', marginBottom: 16 }}>
      <Field label={t('svc.range.from')}>
        <Input type="datetime-local" value={start} onChange={(event) => setStart(event.target.value)} />
      </Field>
      <Field label={t('svc.range.to')}>
        <Input type="datetime-local" value={end} onChange={(event) => setEnd(event.target.value)} />
      </Field>
      <Plain why={wrong ? t('svc.range.wrong') : null} onClick={() => apply(new Date(start).toISOString(), end ? new Date(end).toISOString() : '')}>
        {t('svc.range.show')}
      </Plain>
    </div>
  );
}

function Totals({ data, language }: { data: Metrics; language: Language }) {
  const { t } = useText();
  const rows = data.series.filter((series) => series.total !== null);
  if (rows.length === 0) return <Empty title={t('svc.metric.none')} text={t('svc.metric.noneText')} />;
  if (data.series.length > 1 || data.series[0]!.subject !== 'service')
    return (
      <div className="sg-table-box">
        <table className="sg-table">
          <thead>
            <tr>
              <th />
              {(['calls', 'success', 'invalid', 'limited', 'errors', 'p50', 'p95', 'p99'] as const).map((name) => (
                <th key={name} className="sg-num">
                  {t(`svc.metric.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ subject, total }) => (
              <tr key={subject}>
                <td>{subject}</td>
                {[total!.calls, total!.success, total!.invalid, total!.limited, total!.errors].map((value, index) => (
                  <td key={index} className="sg-num">
                    {count(value)}
                  </td>
                ))}
                {[total!.p50, total!.p95, total!.p99].map((value, index) => (
                  <td key={index} className="sg-num">
                    {latency(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  const total = rows[0]!.total!;
  return (
    <div className="sg-row" style={{ gap: 32, flexWrap: 'wrap' }}>
      <Figure label={t('svc.metric.calls')} value={count(total.calls)} />
      <Figure label={t('svc.metric.success')} value={total.calls ? percent(total.success / total.calls, language) : '-'} />
      <Figure label={t('svc.metric.errors')} value={count(total.errors)} />
      <Figure label={t('svc.metric.limited')} value={count(total.limited)} />
      <Figure label={t('svc.metric.p50')} value={latency(total.p50)} />
      <Figure label={t('svc.metric.p95')} value={latency(total.p95)} />
      <Figure label={t('svc.metric.p99')} value={latency(total.p99)} />
    </div>
  );
}

type Curve = [name: string, value: (point: Point) => number | null];

function Charts({ data, language }: { data: Metrics; language: Language }) {
  const { t } = useText();
  const single = data.series.length === 1 && data.series[0]!.subject === 'service';
  const rate: Curve[] = [
    [t('svc.metric.success'), (point) => point.success / data.step],
    [t('svc.metric.invalid'), (point) => point.invalid / data.step],
    [t('svc.metric.limited'), (point) => point.limited / data.step],
    [t('svc.metric.errors'), (point) => point.errors / data.step],
  ];
  const delays: Curve[] = [
    ['p50', (point) => point.p50],
    ['p95', (point) => point.p95],
    ['p99', (point) => point.p99],
  ];
  const unsure: Curve[] = [
    [t('svc.metric.low'), (point) => (point.low_share === null ? null : point.low_share * 100)],
    [t('svc.metric.empty'), (point) => (point.empty_share === null ? null : point.empty_share * 100)],
  ];
  const charts: [title: string, unit: string, curves: Curve[]][] = [
    [t('svc.chart.rate'), t('svc.chart.perSecond'), single ? rate : [['', (point) => point.qps]]],
    [t('svc.chart.latency'), 'ms', single ? delays : [['', (point) => point.p95]]],
    [t('svc.chart.cpu'), t('svc.chart.cores'), [['', (point) => point.cpu]]],
    [t('svc.chart.memory'), 'MiB', [['', (point) => point.memory_mb]]],
    [t('svc.chart.unsure'), '%', single ? unsure : [['', (point) => (point.low_share === null ? null : point.low_share * 100)]]],
  ];
  return (
    <div className="sg-two">
      {charts.map(([title, unit, curves]) => (
        <Card key={title} title={title}>
          <Lines title={title} unit={unit} curves={curves} data={data} language={language} />
        </Card>
      ))}
    </div>
  );
}

function Lines({ title, unit, curves, data, language }: { title: string; unit: string; curves: Curve[]; data: Metrics; language: Language }) {
  const { t } = useText();
  const start = new Date(data.start).getTime();
  const several = data.series.length > 1;
  const lines = useMemo(
    () =>
      data.series.flatMap((series) =>
        curves.map(([name, value]) => ({
          name: [several || name === '' ? (series.subject === 'service' ? '' : series.subject) : '', name].filter(Boolean).join(' ') || title,
          points: series.points.map((point, index) => [start + index * data.step * 1000, point === null ? null : value(point)] as [number, number | null]),
        })),
      ),
    [curves, data, several, start, title],
  );
  const option = useMemo(
    () => ({
      grid: { left: 56, right: 16, top: 40, bottom: 32 },
      tooltip: {
        trigger: 'axis',
        valueFormatter: (value: number | null) => (value === null || value === undefined ? '-' : `${Number(value.toPrecision(4))} ${unit}`),
      },
      legend: lines.length > 1 ? { top: 0, type: 'scroll', itemGap: 24 } : undefined,
      xAxis: { type: 'time', min: start, max: new Date(data.end).getTime() },
      yAxis: { type: 'value', name: unit, min: 0, nameTextStyle: { align: 'center' } },
      series: lines.map((line, index) => ({
        type: 'line',
        name: line.name,
        data: line.points,
        showSymbol: lonely(line.points),
        symbolSize: 4,
        connectNulls: false,
        lineStyle: { width: 2, type: (['solid', 'dashed', 'dotted'] as const)[index % 3] },
      })),
    }),
    [lines, start, data.end, unit],
  );
  const known = lines.flatMap((line) => line.points.flatMap(([, value]) => (value === null ? [] : [value])));
  const summary =
    known.length === 0
      ? t('svc.chart.nothing')
      : t('svc.chart.summary', { least: Number(Math.min(...known).toPrecision(3)), most: Number(Math.max(...known).toPrecision(3)), unit });
  const rows = (lines[0]?.points ?? []).flatMap(([at], index) => {
    const values = lines.map((line) => line.points[index]?.[1] ?? null);
    if (values.every((value) => value === null)) return [];
    const time = data.step * data.series[0]!.points.length > 86_400 ? moment(new Date(at).toISOString(), language) : timeOfDay(at);
    return [[time, ...values.map((value) => (value === null ? '-' : Number(value.toPrecision(4))))]];
  });
  return <Chart option={option} summary={summary} table={{ head: [t('svc.update.time'), ...lines.map((line) => `${line.name} (${unit})`)], rows }} height={220} />;
}

/** Whether a point has no neighbour, so that only a symbol shows it. */
const lonely = (points: [number, number | null][]): boolean =>
  points.some(([, value], index) => value !== null && (points[index - 1]?.[1] ?? null) === null && (points[index + 1]?.[1] ?? null) === null);
