import { memo } from 'react';
import type { Shape } from '../../shared/canvas/shapes';

/** Outlines over a thumbnail: one path for each look, so that a page of sixty boxes costs no more than a few elements. */
export const Overlay = memo(function Overlay({ width, height, shapes }: { width: number; height: number; shapes: Shape[] }) {
  const groups = new Map<string, { shape: Shape; d: string }>();
  for (const shape of shapes) {
    const d = `M${shape.points.map(([x, y]) => `${x},${y}`).join('L')}Z`;
    const key = shape.look.colour + (shape.look.dash ?? '');
    const group = groups.get(key);
    if (group) group.d += d;
    else groups.set(key, { shape, d });
  }
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
      {[...groups].map(([key, { shape, d }]) => (
        <g key={key} fill="none" vectorEffect="non-scaling-stroke">
          <path d={d} stroke={shape.look.casing} strokeWidth={2.5} strokeOpacity={0.6} vectorEffect="non-scaling-stroke" />
          <path d={d} stroke={shape.look.colour} strokeWidth={1.25} strokeDasharray={shape.look.dash} vectorEffect="non-scaling-stroke" />
        </g>
      ))}
    </svg>
  );
});
