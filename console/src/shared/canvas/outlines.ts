/** Boxes of one picture for drawing and pointing at: looked up through an R-tree, drawn in batches of one look. */
import RBush from 'rbush';
import type { LabelLook } from '../theme/palette';
import { bounds, type Point } from './shapes';
import { toPicture, type Area, type View } from './view';

/** One box to draw; `faint` for what is only suggested or not looked for. */
export type Outline = { id: string; points: readonly Point[]; look: LabelLook; name?: string; suggested?: boolean; faint?: boolean };
type Entry = { minX: number; minY: number; maxX: number; maxY: number; outline: Outline };

const NAMED_HEIGHT = 24;
const NAME_SIZE = 12;

export class Outlines {
  private tree = new RBush<Entry>();
  private entries = new Map<string, Entry>();

  /** Show these boxes; only those that are new or other objects than before are put into the tree again. */
  set(outlines: readonly Outline[]): void {
    const wanted = new Set(outlines.map((outline) => outline.id));
    const fresh: Entry[] = [];
    for (const [id, entry] of this.entries)
      if (!wanted.has(id)) {
        this.tree.remove(entry);
        this.entries.delete(id);
      }
    for (const outline of outlines) {
      const known = this.entries.get(outline.id);
      if (known && known.outline.points === outline.points) {
        known.outline = outline;
        continue;
      }
      if (known) this.tree.remove(known);
      const { x1, y1, x2, y2 } = bounds(outline.points);
      const entry = { minX: x1, minY: y1, maxX: x2, maxY: y2, outline };
      this.entries.set(outline.id, entry);
      fresh.push(entry);
    }
    if (fresh.length > 20) this.tree.load(fresh);
    else for (const entry of fresh) this.tree.insert(entry);
  }

  get(id: string): Outline | undefined {
    return this.entries.get(id)?.outline;
  }

  /** Boxes under a point, the smallest first; `slack` in picture pixels around them. */
  at([x, y]: Point, slack: number): Outline[] {
    return this.tree
      .search({ minX: x - slack, minY: y - slack, maxX: x + slack, maxY: y + slack })
      .filter((entry) => inside(entry.outline.points, [x, y]) || nearEdge(entry.outline.points, [x, y], slack))
      .sort((one, other) => area(one) - area(other))
      .map((entry) => entry.outline);
  }

  /** Boxes that lie wholly in a rectangle. */
  within(x1: number, y1: number, x2: number, y2: number): Outline[] {
    return this.tree
      .search({ minX: x1, minY: y1, maxX: x2, maxY: y2 })
      .filter((entry) => entry.minX >= x1 && entry.minY >= y1 && entry.maxX <= x2 && entry.maxY <= y2)
      .map((entry) => entry.outline);
  }

  /** Draw what is seen: one path per look, with a casing and names only while nothing moves. */
  draw(context: CanvasRenderingContext2D, view: View, size: Area, moving: boolean, skip: ReadonlySet<string>, font: string): void {
    const [left, top] = toPicture(view, [0, 0]);
    const [right, bottom] = toPicture(view, [size.width, size.height]);
    const groups = new Map<string, { outline: Outline; path: Path2D }>();
    const named: Entry[] = [];
    for (const entry of this.tree.search({ minX: left, minY: top, maxX: right, maxY: bottom })) {
      const { outline } = entry;
      if (skip.has(outline.id)) continue;
      const key = `${outline.look.colour}${outline.look.dash}${outline.suggested}${outline.faint}`;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { outline, path: new Path2D() }));
      trace(group.path, outline.points, view);
      if (!moving && outline.name && !outline.faint && (entry.maxY - entry.minY) * view.scale > NAMED_HEIGHT / 2 && (entry.maxX - entry.minX) * view.scale > NAMED_HEIGHT) named.push(entry);
    }
    for (const { outline, path } of groups.values()) {
      const { look } = outline;
      context.globalAlpha = outline.faint ? 0.35 : 1;
      context.setLineDash([]);
      if (!moving) {
        context.lineWidth = 3.5;
        context.strokeStyle = look.casing;
        context.globalAlpha *= 0.55;
        context.stroke(path);
        context.globalAlpha = outline.faint ? 0.35 : 1;
      }
      context.setLineDash(outline.suggested ? [6, 4] : look.dash ? look.dash.split(' ').map(Number) : []);
      context.lineWidth = 1.6;
      context.strokeStyle = look.colour;
      context.stroke(path);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    if (named.length) names(context, named.map((entry) => entry.outline), view, font);
  }
}

export function trace(path: Path2D, points: readonly Point[], view: View): void {
  points.forEach(([x, y], place) => {
    const [sx, sy] = [x * view.scale + view.x, y * view.scale + view.y];
    if (place === 0) path.moveTo(sx, sy);
    else path.lineTo(sx, sy);
  });
  path.closePath();
}

const widths = new Map<string, number>();

/** Names on chips above their boxes; a chip that would cover another one is left out. */
function names(context: CanvasRenderingContext2D, outlines: readonly Outline[], view: View, font: string): void {
  context.font = `${NAME_SIZE}px ${font}`;
  context.textBaseline = 'middle';
  const taken = new RBush<{ minX: number; minY: number; maxX: number; maxY: number }>();
  for (const outline of outlines) {
    const box = bounds(outline.points);
    const name = outline.name!;
    let width = widths.get(name);
    if (width === undefined) {
      if (widths.size > 2000) widths.clear();
      widths.set(name, (width = context.measureText(name).width + 8));
    }
    const x = box.x1 * view.scale + view.x;
    const y = box.y1 * view.scale + view.y - NAME_SIZE - 5;
    const place = { minX: x, minY: y, maxX: x + width, maxY: y + NAME_SIZE + 4 };
    if (taken.collides(place)) continue;
    taken.insert(place);
    context.fillStyle = outline.look.colour;
    context.fillRect(x, y, width, NAME_SIZE + 4);
    context.fillStyle = outline.look.text;
    context.fillText(name, x + 4, y + NAME_SIZE / 2 + 3);
  }
}

const area = (entry: Entry) => (entry.maxX - entry.minX) * (entry.maxY - entry.minY);

/** Whether a point lies in a polygon (even-odd rule). */
export function inside(points: readonly Point[], [x, y]: Point): boolean {
  let odd = false;
  for (let at = 0, before = points.length - 1; at < points.length; before = at, at += 1) {
    const [x1, y1] = points[at]!;
    const [x2, y2] = points[before]!;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
}

function nearEdge(points: readonly Point[], [x, y]: Point, slack: number): boolean {
  return points.some(([x1, y1], at) => {
    const [x2, y2] = points[(at + 1) % points.length]!;
    const length = (x2 - x1) ** 2 + (y2 - y1) ** 2 || 1;
    const t = Math.min(1, Math.max(0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length));
    return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) <= slack;
  });
}
