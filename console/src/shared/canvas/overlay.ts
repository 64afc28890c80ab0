/** What is being touched: the selection with its handles, a draft, links, and boxes that may be picked. */
import { LINK, MARK, SELECTION } from '../theme/palette';
import { trace } from './outlines';
import { bounds, type Point } from './shapes';
import type { Stage } from './stage';
import { toScreen } from './view';

/** What is drawn and not stored yet, in picture pixels. */
export type Draft = { kind: 'rectangle' | 'polygon' | 'marquee'; points: Point[] };

export const HANDLE = 8;
const TURN_DISTANCE = 26;
/** So many marked boxes are drawn thin. */
const MANY = 100;

/** Handles of one selected box on the screen: corners, for rectangles also edges, and one to turn it. */
export type Handle = { kind: 'corner' | 'edge' | 'turn'; index: number; at: Point };

export function handlesOf(stage: Stage): Handle[] {
  const [id, more] = stage.host.selection();
  if (!id || more || stage.host.readOnly() || stage.host.tool() !== 'select') return [];
  const form = stage.host.form(id);
  const points = stage.pointsOf(id)?.map((point) => toScreen(stage.view, point));
  if (!form || !points) return [];
  const handles: Handle[] = points.map((at, index) => ({ kind: 'corner', index, at }));
  if (form.rect)
    points.forEach(([x, y], index) => {
      const [nx, ny] = points[(index + 1) % 4]!;
      if (Math.hypot(nx - x, ny - y) > 3 * HANDLE) handles.push({ kind: 'edge', index, at: [(x + nx) / 2, (y + ny) / 2] });
    });
  if (form.turns) handles.push({ kind: 'turn', index: 0, at: turnHandle(points) });
  return handles;
}

/** Outside the middle of the first edge, the one where the text begins. */
function turnHandle(points: readonly Point[]): Point {
  const [[ax, ay], [bx, by]] = points as unknown as [Point, Point];
  const length = Math.hypot(bx - ax, by - ay) || 1;
  return [(ax + bx) / 2 + ((by - ay) / length) * TURN_DISTANCE, (ay + by) / 2 - ((bx - ax) / length) * TURN_DISTANCE];
}

export function drawOverlay(context: CanvasRenderingContext2D, stage: Stage): void {
  const { view, host } = stage;
  const selected = host.selection();
  const path = (ids: Iterable<string>) => {
    const made = new Path2D();
    for (const id of ids) {
      const points = stage.pointsOf(id);
      if (points) trace(made, points, view);
    }
    return made;
  };
  const targets = host.targets();
  if (targets.size) {
    context.strokeStyle = LINK;
    context.lineWidth = targets.size > MANY ? 1.5 : 3;
    context.stroke(path(targets));
  }
  const links = host.links();
  if (links.length) drawLinks(context, stage, links);
  if (stage.dragged.size) {
    const moved = path([...stage.dragged.keys()].filter((id) => !selected.includes(id)));
    context.strokeStyle = SELECTION;
    context.lineWidth = 1.5;
    context.stroke(moved);
  }
  if (selected.length) {
    const outline = path(selected);
    context.fillStyle = SELECTION;
    context.globalAlpha = 0.12;
    context.fill(outline);
    context.globalAlpha = 1;
    context.strokeStyle = MARK;
    context.lineWidth = 4;
    context.stroke(outline);
    context.strokeStyle = SELECTION;
    context.lineWidth = 2;
    context.stroke(outline);
    if (selected.length > 1) frame(context, stage, selected);
  }
  if (stage.hover && !selected.includes(stage.hover)) {
    context.strokeStyle = SELECTION;
    context.lineWidth = 2;
    context.stroke(path([stage.hover]));
  }
  for (const handle of handlesOf(stage)) drawHandle(context, handle);
  if (stage.draft) drawDraft(context, stage);
}

function frame(context: CanvasRenderingContext2D, stage: Stage, ids: readonly string[]): void {
  const points = ids.flatMap((id) => stage.pointsOf(id) ?? []);
  if (!points.length) return;
  const box = bounds(points);
  const [x1, y1] = toScreen(stage.view, [box.x1, box.y1]);
  const [x2, y2] = toScreen(stage.view, [box.x2, box.y2]);
  context.setLineDash([4, 4]);
  context.lineWidth = 1;
  context.strokeRect(x1 - 4, y1 - 4, x2 - x1 + 8, y2 - y1 + 8);
  context.setLineDash([]);
}

function drawHandle(context: CanvasRenderingContext2D, { kind, index, at: [x, y] }: Handle): void {
  context.fillStyle = MARK;
  context.strokeStyle = SELECTION;
  context.lineWidth = 2;
  context.beginPath();
  if (kind === 'turn') context.arc(x, y, HANDLE / 2 + 1, 0, 2 * Math.PI);
  else context.rect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
  // The corner where the text begins is filled: it says which way the text runs.
  if (kind === 'corner' && index === 0) context.fillStyle = SELECTION;
  context.fill();
  context.stroke();
}

function drawDraft(context: CanvasRenderingContext2D, stage: Stage): void {
  const { kind, points } = stage.draft!;
  const path = new Path2D();
  if (kind === 'polygon') {
    points.forEach((point, place) => {
      const [x, y] = toScreen(stage.view, point);
      if (place === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    });
  } else {
    const [[ax, ay], [bx, by]] = points as unknown as [Point, Point];
    trace(path, [[ax, ay], [bx, ay], [bx, by], [ax, by]], stage.view);
  }
  context.setLineDash(kind === 'marquee' ? [4, 4] : []);
  if (kind !== 'polygon') {
    context.fillStyle = SELECTION;
    context.globalAlpha = 0.1;
    context.fill(path);
    context.globalAlpha = 1;
  }
  context.strokeStyle = MARK;
  context.lineWidth = 3;
  context.stroke(path);
  context.strokeStyle = SELECTION;
  context.lineWidth = 1.5;
  context.stroke(path);
  context.setLineDash([]);
}

/** Lines from values to their keys, with an arrow at the key. */
function drawLinks(context: CanvasRenderingContext2D, stage: Stage, links: readonly (readonly [string, string])[]): void {
  const path = new Path2D();
  const heads = new Path2D();
  for (const [from, to] of links) {
    const [a, b] = [stage.pointsOf(from), stage.pointsOf(to)];
    if (!a || !b) continue;
    const [[x1, y1], [x2, y2]] = nearest(bounds(a), bounds(b)).map((point) => toScreen(stage.view, point)) as [Point, Point];
    path.moveTo(x1, y1);
    path.lineTo(x2, y2);
    const angle = Math.atan2(y2 - y1, x2 - x1);
    heads.moveTo(x2, y2);
    heads.lineTo(x2 - 9 * Math.cos(angle - 0.45), y2 - 9 * Math.sin(angle - 0.45));
    heads.lineTo(x2 - 9 * Math.cos(angle + 0.45), y2 - 9 * Math.sin(angle + 0.45));
    heads.closePath();
  }
  context.strokeStyle = MARK;
  context.lineWidth = 4;
  context.stroke(path);
  context.strokeStyle = LINK;
  context.lineWidth = 2;
  context.stroke(path);
  context.fillStyle = LINK;
  context.fill(heads);
}

type Bounds = ReturnType<typeof bounds>;

/** Points where a line between two boxes leaves the one and meets the other. */
function nearest(a: Bounds, b: Bounds): [Point, Point] {
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const [ax, ay] = [(a.x1 + a.x2) / 2, (a.y1 + a.y2) / 2];
  const [bx, by] = [(b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2];
  return [
    [clamp(bx, a.x1, a.x2), clamp(by, a.y1, a.y2)],
    [clamp(ax, b.x1, b.x2), clamp(ay, b.y1, b.y2)],
  ];
}
