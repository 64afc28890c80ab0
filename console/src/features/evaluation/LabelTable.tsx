import { useState } from 'react';
import { Link } from 'react-router';
import { count, interval, percent, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Check, Help, Plain, Tip } from '../../shared/ui/kit';
import { keep, kept } from '../../shared/ui/keep';
import { Popover } from '../../shared/ui/Popover';
import { saveCsv } from '../../shared/ui/save';
import type { Row } from './numbers';

const FEW = 10;
const COLUMNS = ['precision', 'recall', 'f1', 'interval', 'support', 'best'] as const;
type Column = (typeof COLUMNS)[number];

type Props = {
  name: string;
  rows: Row[];
  chosen: Set<string> | null;
  all: string[];
  onChoose: (labels: string[] | null) => void;
  badcases: (label: string) => string;
};

/** Numbers of each label or field; ticked rows are those that the figures above count. */
export function LabelTable({ name, rows, chosen, all, onChoose, badcases }: Props) {
  const { t, language } = useText();
  const [hidden, setHidden] = useState<Column[]>(() => kept<Column[]>('evaluation.hidden', []));
  const shown = COLUMNS.filter((column) => !hidden.includes(column));
  const show = (column: Column) => {
    const next = hidden.includes(column) ? hidden.filter((item) => item !== column) : [...hidden, column];
    if (next.length === COLUMNS.length) return;
    keep('evaluation.hidden', next);
    setHidden(next);
  };
  const toggle = (label: string) => {
    const next = all.filter((item) => (item === label) !== (chosen === null || chosen.has(item)));
    onChoose(next.length === all.length || next.length === 0 ? null : next);
  };
  const cell = (row: Row, column: Column): string => {
    if (column === 'interval') return interval(row.low, row.high);
    if (column === 'support') return count(row.support);
    if (column === 'best') return score(row.best);
    return percent(row[column], language);
  };
  const title = (column: Column) => t(`evaluation.columns.${column}`);
  return (
    <Card
      title={t('evaluation.perLabel')}
      extra={
        <>
          <span className="sg-secondary sg-small">{t('evaluation.perLabelHint')}</span>
          <Popover label={t('evaluation.columnsLabel')} className="sg-pill" button={t('evaluation.columnsLabel')}>
            <div className="sg-stack-s">
              {COLUMNS.map((column) => (
                <Check key={column} checked={shown.includes(column)} onChange={() => show(column)} label={title(column)} />
              ))}
            </div>
          </Popover>
          <Plain size="small" onClick={() => saveCsv(`${name}-labels`, [t('evaluation.label'), ...shown.map(title)], rows.map((row) => [row.label, ...shown.map((column) => cell(row, column))]))}>
            {t('chart.csv')}
          </Plain>
        </>
      }
    >
      <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('evaluation.perLabel')}>
        <table className="sg-table sg-tight">
          <thead>
            <tr>
              <th scope="col">
                <span className="sg-sr">{t('common.choose')}</span>
              </th>
              <th scope="col">{t('evaluation.label')}</th>
              {shown.map((column) => (
                <th key={column} scope="col" className="sg-num">
                  <span className="sg-label" style={{ justifyContent: 'flex-end' }}>
                    {title(column)} {column === 'interval' && <Help text={t('evaluation.intervalHelp')} />}
                    {column === 'best' && <Help text={t('evaluation.bestHelp')} />}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.label}>
                <td>
                  <Check checked={chosen === null || chosen.has(row.label)} onChange={() => toggle(row.label)} label={<span className="sg-sr">{row.label}</span>} />
                </td>
                <td className="sg-cell-name">
                  <Link to={badcases(row.label)}>{row.label}</Link>{' '}
                  {row.support < FEW && (
                    <Tip text={t('evaluation.fewText', { count: row.support })}>
                      <span className="sg-tag sg-tag-small" data-theme="warning" tabIndex={0}>
                        {t('evaluation.few')}
                      </span>
                    </Tip>
                  )}
                </td>
                {shown.map((column) => (
                  <td key={column} className="sg-num">
                    {cell(row, column)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
