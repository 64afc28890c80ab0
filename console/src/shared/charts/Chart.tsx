import { BarChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import { init, use as register, type ECharts } from 'echarts/core';
import type { EChartsCoreOption } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef, useState } from 'react';
import { useText } from '../i18n';
import { CHART_LINE, CHART_TEXT, SERIES } from '../theme/palette';
import { useMode } from '../theme/mode';
import { TextButton } from '../ui/kit';
import { saveCsv } from '../ui/save';

register([BarChart, HeatmapChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);

export type Rows = { head: string[]; rows: (string | number)[][] };

/** A chart with its table: one sentence says what it shows, the switch shows the numbers, and they can be taken along. */
export default function Chart(props: { name?: string; option: EChartsCoreOption; summary: string; table: Rows; height?: number; onClick?: (params: { seriesIndex?: number; dataIndex: number; value: unknown }) => void }) {
  const { t } = useText();
  const { shown } = useMode();
  const [table, setTable] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const click = useRef(props.onClick);
  useEffect(() => {
    click.current = props.onClick;
  });
  useEffect(() => {
    const target = element.current;
    if (table || !target) return;
    const made = init(target, undefined, { renderer: 'svg' });
    chart.current = made;
    made.on('click', (params) => click.current?.(params as never));
    const sizes = new ResizeObserver(() => made.resize());
    sizes.observe(target);
    return () => {
      sizes.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, [table]);
  useEffect(() => {
    const line = { lineStyle: { color: CHART_LINE[shown] } };
    const axis = { axisLabel: { color: CHART_TEXT[shown] }, nameTextStyle: { color: CHART_TEXT[shown] }, axisLine: line, splitLine: line };
    const themed = (axes: unknown) => (Array.isArray(axes) ? axes : [axes]).map((item: { axisLabel?: object }) => ({ ...axis, ...item, axisLabel: { ...axis.axisLabel, ...item.axisLabel } }));
    const { xAxis, yAxis, legend, ...rest } = props.option as { xAxis?: unknown; yAxis?: unknown; legend?: object };
    chart.current?.setOption(
      {
        color: [...SERIES[shown]],
        animation: false,
        textStyle: { fontFamily: 'inherit', color: CHART_TEXT[shown] },
        grid: { left: 48, right: 16, top: 32, bottom: 40 },
        ...rest,
        ...(legend ? { legend: { textStyle: { color: CHART_TEXT[shown] }, ...legend } } : {}),
        ...(xAxis ? { xAxis: themed(xAxis) } : {}),
        ...(yAxis ? { yAxis: themed(yAxis) } : {}),
      },
      { notMerge: true },
    );
  }, [props.option, shown, table]);
  const csv = () => saveCsv(props.name ?? 'chart', props.table.head, props.table.rows);
  return (
    <figure>
      {table ? (
        <div className="sg-table-box" style={{ maxHeight: props.height ?? 260, overflow: 'auto' }}>
          <table className="sg-table sg-tight">
            <thead>
              <tr>
                {props.table.head.map((name) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {props.table.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((value, column) => (
                    <td key={column} className={typeof value === 'number' ? 'sg-num' : undefined}>
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div ref={element} role="img" aria-label={props.summary} style={{ height: props.height ?? 260 }} />
      )}
      <figcaption className="sg-row" style={{ justifyContent: 'flex-end' }}>
        <span className="sg-secondary sg-small sg-grow">{props.summary}</span>
        <TextButton onClick={() => setTable(!table)}>{table ? t('chart.picture') : t('chart.table')}</TextButton>
        <TextButton onClick={csv}>{t('chart.csv')}</TextButton>
      </figcaption>
    </figure>
  );
}
