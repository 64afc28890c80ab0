import type { Schemas } from '../../shared/api/client';

export type Results = Schemas['Results'];
export type Counts = Schemas['Counts'];
export type Row = {
  label: string;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  low: number | null;
  high: number | null;
  support: number;
  best: number | null;
};

const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
export const precision = (c: Counts) => share(c.tp, c.tp + c.fp);
export const recall = (c: Counts) => share(c.tp, c.tp + c.fn);
export const f1 = (c: Counts) => share(2 * c.tp, 2 * c.tp + c.fp + c.fn);

/** 95 % interval of F1 from the Wilson interval of tp / (tp + fp + fn), as the server computes it. */
export function interval(c: Counts): [number | null, number | null] {
  const total = c.tp + c.fp + c.fn;
  if (total === 0) return [null, null];
  const z = 1.959963984540054;
  const part = c.tp / total;
  const spread = z * Math.sqrt((part * (1 - part)) / total + z ** 2 / (4 * total ** 2));
  const centre = part + z ** 2 / (2 * total);
  const end = (sign: number) => {
    const j = Math.min(1, Math.max(0, (centre + sign * spread) / (1 + z ** 2 / total)));
    return (2 * j) / (1 + j);
  };
  return [end(-1), end(1)];
}

function row(label: string, counts: Counts, support: number, best: number | null): Row {
  const [low, high] = interval(counts);
  return { label, precision: precision(counts), recall: recall(counts), f1: f1(counts), low, high, support, best };
}

/** Position of a threshold on the scale 0.05 … 0.95. */
export const stepOf = (results: Results, threshold: number) =>
  Math.max(0, results.thresholds.findIndex((value) => Math.abs(value - threshold) < 0.01));

/** Numbers per label at one threshold, or each at its own best when `step` is null. */
export function rows(results: Results, step: number | null, exact: boolean): Row[] {
  return results.labels.map((item) => {
    const at = step ?? stepOf(results, item.best_threshold);
    return row(item.label, (exact ? item.exact_counts : item.counts)[at]!, item.support, item.best_threshold);
  });
}

/** Counts over all labels, or over the chosen ones. */
export function total(results: Results, step: number | null, exact: boolean, chosen: Set<string> | null): Row {
  const sum = { tp: 0, fp: 0, fn: 0 };
  let support = 0;
  for (const item of results.labels) {
    if (chosen && !chosen.has(item.label)) continue;
    const counts = (exact ? item.exact_counts : item.counts)[step ?? stepOf(results, item.best_threshold)]!;
    sum.tp += counts.tp;
    sum.fp += counts.fp;
    sum.fn += counts.fn;
    support += item.support;
  }
  const whole = !chosen && step !== null ? (exact ? results.overall_exact : results.overall)[step]! : sum;
  return row('', whole, support, results.recommended_threshold);
}

/** Points of the precision-recall curve of one label or of all. */
export function curve(results: Results, label: string | null, exact: boolean): { threshold: number; precision: number | null; recall: number | null }[] {
  const item = results.labels.find((other) => other.label === label);
  const counts = item ? (exact ? item.exact_counts : item.counts) : exact ? results.overall_exact : results.overall;
  return counts.map((c, index) => ({ threshold: results.thresholds[index]!, precision: precision(c), recall: recall(c) }));
}

/** The confusion matrix at a threshold over the most frequent labels; null stands for nothing. */
export function matrix(results: Results, step: number, most = 20): { names: (string | null)[]; cells: [number, number, number][] } {
  const weight = new Map<string | null, number>();
  const cells = results.confusion[step] ?? [];
  for (const cell of cells) {
    for (const name of [cell.truth, cell.predicted]) weight.set(name, (weight.get(name) ?? 0) + cell.count);
  }
  const names = [...weight.keys()]
    .filter((name): name is string => name !== null)
    .sort((a, b) => weight.get(b)! - weight.get(a)!)
    .slice(0, most)
    .sort();
  const order: (string | null)[] = weight.has(null) ? [...names, null] : names;
  const index = new Map(order.map((name, place) => [name, place]));
  return {
    names: order,
    cells: cells
      .filter((cell) => cell.count > 0 && index.has(cell.truth) && index.has(cell.predicted))
      .map((cell) => [index.get(cell.predicted)!, index.get(cell.truth)!, cell.count]),
  };
}
