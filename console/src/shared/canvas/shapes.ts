import type { LabelLook } from '../theme/palette';

export type Point = readonly [number, number];

/** One outline on a picture, in pixels of the upright picture. */
export type Shape = { id: string; points: readonly Point[]; look: LabelLook; name?: string; title?: string };

export const box = (x1: number, y1: number, x2: number, y2: number): Point[] => [
  [x1, y1],
  [x2, y1],
  [x2, y2],
  [x1, y2],
];

export const path = (points: readonly Point[]) => points.map(([x, y]) => `${x},${y}`).join(' ');

export function bounds(points: readonly Point[]): { x1: number; y1: number; x2: number; y2: number } {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
}
