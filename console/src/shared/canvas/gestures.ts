/** Mouse, pen and touch on the stage: pan and zoom, select and marquee, move, reshape, turn, draw, link. */
import { handlesOf, HANDLE, type Handle } from './overlay';
import { bounds, type Point } from './shapes';
import type { Stage } from './stage';
import { toPicture, type View } from './view';

/** A movement of fewer pixels is a click. */
const CLICK = 3;

type Drag =
  | { kind: 'pan'; view: View }
  | { kind: 'move'; ids: string[]; from: Map<string, readonly Point[]>; clicked: string; was: boolean }
  | { kind: 'reshape'; id: string; handle: Handle; from: readonly Point[]; rect: boolean }
  | { kind: 'turn'; id: string; from: readonly Point[]; angle: number }
  | { kind: 'draw'; from: Point; polygon: boolean }
  | { kind: 'marquee'; from: Point; add: boolean };

export class Gestures {
  private drag: Drag | null = null;
  private start: Point = [0, 0];
  private moved = false;
  private space = false;
  private readonly abort = new AbortController();

  constructor(private readonly stage: Stage) {
    const { signal } = this.abort;
    const { element } = stage;
    element.addEventListener('pointerdown', (event) => this.down(event), { signal });
    element.addEventListener('pointermove', (event) => this.move(event), { signal });
    element.addEventListener('pointerup', (event) => this.up(event), { signal });
    element.addEventListener('pointercancel', () => this.cancel(), { signal });
    element.addEventListener('dblclick', (event) => this.double(event), { signal });
    element.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
    // Not passive: the page must not scroll or zoom while the picture does.
    element.addEventListener('wheel', (event) => this.wheel(event), { signal, passive: false });
    window.addEventListener('keydown', (event) => this.key(event, true), { signal });
    window.addEventListener('keyup', (event) => this.key(event, false), { signal });
    window.addEventListener('blur', () => this.hold(false), { signal });
  }

  dispose(): void {
    this.abort.abort();
  }

  private key(event: KeyboardEvent, down: boolean): void {
    const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, button, [contenteditable]');
    if (event.key === ' ' && !typing) {
      if (down) event.preventDefault();
      this.hold(down);
    }
  }

  private hold(down: boolean): void {
    this.space = down;
    this.stage.element.style.cursor = down ? 'grab' : '';
  }

  /** Leave a draft or a drag as if it had not begun. */
  cancel(): boolean {
    const something = this.drag !== null || this.stage.draft !== null;
    this.drag = null;
    this.stage.draft = null;
    this.stage.dragged.clear();
    this.stage.redraw(2 | 4);
    return something;
  }

  private at(event: MouseEvent): Point {
    const box = this.stage.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { stage } = this;
    stage.stir();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      stage.zoom(Math.exp((-event.deltaY * unit) / 300), this.at(event));
      return;
    }
    const [dx, dy] = event.shiftKey && !event.deltaX ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
    stage.setView({ ...stage.view, x: stage.view.x - dx * unit, y: stage.view.y - dy * unit });
  }

  private down(event: PointerEvent): void {
    const { stage } = this;
    if (event.target instanceof HTMLElement && event.target.closest('[data-overlay]')) return;
    if (event.button === 2 || this.drag) return;
    // Focus goes to the picture, so that keys work at once, and leaves a text field, which stores what was typed.
    stage.element.focus({ preventScroll: true });
    stage.element.setPointerCapture(event.pointerId);
    const screen = this.at(event);
    const point = toPicture(stage.view, screen);
    this.start = screen;
    this.moved = false;
    const tool = stage.host.tool();
    const { host } = stage;
    if (event.button === 1 || this.space || tool === 'pan') {
      this.drag = { kind: 'pan', view: stage.view };
      stage.element.style.cursor = 'grabbing';
      return;
    }
    if (tool === 'rectangle' || tool === 'polygon') {
      if (host.readOnly()) return;
      if (tool === 'polygon' && stage.draft?.kind === 'polygon') return;
      this.drag = { kind: 'draw', from: this.clamped(point), polygon: tool === 'polygon' };
      return;
    }
    if (tool === 'link') {
      const [hit] = stage.outlines.at(point, 4 / stage.view.scale);
      if (hit) host.pick(hit.id);
      return;
    }
    const handle = handlesOf(stage).find(({ at }) => Math.hypot(at[0] - screen[0], at[1] - screen[1]) <= HANDLE);
    if (handle) {
      const id = host.selection()[0]!;
      const from = stage.pointsOf(id)!;
      if (handle.kind === 'turn') {
        const box = bounds(from);
        const angle = Math.atan2(point[1] - (box.y1 + box.y2) / 2, point[0] - (box.x1 + box.x2) / 2);
        this.drag = { kind: 'turn', id, from, angle };
      } else this.drag = { kind: 'reshape', id, handle, from, rect: host.form(id)?.rect ?? false };
      return;
    }
    const hits = stage.outlines.at(point, 3 / stage.view.scale);
    const selected = host.selection();
    if (hits.length === 0) {
      this.drag = { kind: 'marquee', from: point, add: event.shiftKey };
      return;
    }
    const chosen = hits.find((outline) => selected.includes(outline.id)) ?? hits[0]!;
    if (event.shiftKey) {
      const smallest = hits[0]!.id;
      host.select(selected.includes(smallest) ? selected.filter((id) => id !== smallest) : [...selected, smallest]);
      return;
    }
    const was = selected.includes(chosen.id);
    if (!was) host.select([chosen.id]);
    const ids = [...host.selection()];
    const from = new Map(ids.map((id) => [id, stage.pointsOf(id)!]));
    this.drag = { kind: 'move', ids, from, clicked: chosen.id, was };
  }

  private move(event: PointerEvent): void {
    const { stage, drag } = this;
    const screen = this.at(event);
    const point = toPicture(stage.view, screen);
    if (!drag) {
      this.hoverAt(point, screen);
      if (stage.draft?.kind === 'polygon') this.extend(point);
      return;
    }
    if (!this.moved && Math.hypot(screen[0] - this.start[0], screen[1] - this.start[1]) < CLICK) return;
    this.moved = true;
    switch (drag.kind) {
      case 'pan':
        stage.stir();
        stage.setView({ ...drag.view, x: drag.view.x + screen[0] - this.start[0], y: drag.view.y + screen[1] - this.start[1] });
        return;
      case 'draw':
        stage.draft = { kind: 'rectangle', points: [drag.from, this.clamped(point)] };
        break;
      case 'marquee':
        stage.draft = { kind: 'marquee', points: [drag.from, point] };
        break;
      case 'move':
        if (!stage.host.readOnly()) this.drop(this.shifted(drag.from, point));
        break;
      case 'reshape':
        this.drop(new Map([[drag.id, reshaped(drag.from, drag.handle, this.clamped(point), drag.rect)]]));
        break;
      case 'turn':
        this.drop(new Map([[drag.id, this.turned(drag, point, event.shiftKey)]]));
        break;
    }
    stage.redraw(4);
  }

  /** Show boxes at places where they are not stored yet. */
  private drop(places: Map<string, Point[]>): void {
    const first = this.stage.dragged.size === 0;
    this.stage.dragged = places;
    this.stage.redraw(first ? 2 | 4 : 4);
  }

  private up(event: PointerEvent): void {
    const { stage, drag } = this;
    this.drag = null;
    stage.element.style.cursor = this.space ? 'grab' : '';
    const point = toPicture(stage.view, this.at(event));
    if (stage.host.tool() === 'polygon' && stage.draft?.kind === 'polygon' && !drag) {
      this.corner(this.clamped(point));
      return;
    }
    if (!drag) return;
    if (drag.kind === 'draw' && !this.moved) {
      if (drag.polygon) {
        stage.draft = { kind: 'polygon', points: [drag.from, drag.from] };
        stage.redraw(4);
      }
      return;
    }
    const { draft } = stage;
    stage.draft = null;
    const places = stage.dragged;
    if (drag.kind === 'draw' && draft) this.finish(draft.points as [Point, Point], !drag.polygon);
    if (drag.kind === 'marquee') this.marquee(drag, draft?.points ?? null);
    if (drag.kind === 'move' && !this.moved && drag.was) this.cycle(point, drag.clicked);
    if (places.size && this.moved) stage.host.place(Object.fromEntries(places));
    stage.dragged = new Map();
    stage.redraw(2 | 4);
  }

  private finish([[ax, ay], [bx, by]]: [Point, Point], rect: boolean): void {
    const [x1, x2, y1, y2] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
    if (x2 - x1 < 2 || y2 - y1 < 2) return;
    this.stage.host.create([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], rect);
  }

  private corner(point: Point): void {
    const { stage } = this;
    const points = [...stage.draft!.points.slice(0, -1), point];
    if (points.length < 4) {
      stage.draft = { kind: 'polygon', points: [...points, point] };
      stage.redraw(4);
      return;
    }
    stage.draft = null;
    const box = bounds(points);
    if (box.x2 - box.x1 >= 2 && box.y2 - box.y1 >= 2) stage.host.create(points, false);
    stage.redraw(4);
  }

  private extend(point: Point): void {
    const { stage } = this;
    stage.draft = { kind: 'polygon', points: [...stage.draft!.points.slice(0, -1), this.clamped(point)] };
    stage.redraw(4);
  }

  private marquee(drag: { from: Point; add: boolean }, points: Point[] | null): void {
    const { host, outlines } = this.stage;
    if (!points) {
      if (!drag.add) host.select([]);
      return;
    }
    const [[ax, ay], [bx, by]] = points as unknown as [Point, Point];
    const found = outlines.within(Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)).map((outline) => outline.id);
    host.select(drag.add ? [...new Set([...host.selection(), ...found])] : found);
  }

  /** A second click on the same place takes the next larger box there. */
  cycle(point: Point, from: string, step = 1): void {
    const hits = this.stage.outlines.at(point, 3 / this.stage.view.scale);
    if (hits.length < 2) return;
    const place = hits.findIndex((outline) => outline.id === from);
    this.stage.host.select([hits[(place + step + hits.length) % hits.length]!.id]);
  }

  private double(event: MouseEvent): void {
    const [hit] = this.stage.outlines.at(toPicture(this.stage.view, this.at(event)), 3 / this.stage.view.scale);
    if (hit && this.stage.host.tool() === 'select') this.stage.host.open(hit.id);
  }

  private hoverAt(point: Point, screen: Point): void {
    const { stage } = this;
    const tool = stage.host.tool();
    const pointing = tool === 'select' || tool === 'link';
    const hit = pointing ? (stage.outlines.at(point, 3 / stage.view.scale)[0]?.id ?? null) : null;
    if (!this.space) {
      const handle = handlesOf(stage).find(({ at }) => Math.hypot(at[0] - screen[0], at[1] - screen[1]) <= HANDLE);
      const cursor = handle ? (handle.kind === 'turn' ? 'alias' : 'crosshair') : pointing ? (hit ? 'pointer' : 'default') : tool === 'pan' ? 'grab' : 'crosshair';
      if (stage.element.style.cursor !== cursor) stage.element.style.cursor = cursor;
    }
    if (hit === stage.hover) return;
    stage.hover = hit;
    stage.redraw(4);
  }

  private clamped([x, y]: Point): Point {
    const { width, height } = this.stage.size;
    return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
  }

  private shifted(from: Map<string, readonly Point[]>, point: Point): Map<string, Point[]> {
    const { size, view } = this.stage;
    const origin = toPicture(view, this.start);
    const box = bounds([...from.values()].flat());
    const dx = Math.min(Math.max(point[0] - origin[0], -box.x1), size.width - box.x2);
    const dy = Math.min(Math.max(point[1] - origin[1], -box.y1), size.height - box.y2);
    return new Map([...from].map(([id, points]) => [id, points.map(([x, y]): Point => [x + dx, y + dy])]));
  }

  private turned(drag: { from: readonly Point[]; angle: number }, point: Point, snap: boolean): Point[] {
    const box = bounds(drag.from);
    const [cx, cy] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
    let angle = Math.atan2(point[1] - cy, point[0] - cx) - drag.angle;
    if (snap) angle = Math.round(angle / (Math.PI / 12)) * (Math.PI / 12);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return drag.from.map(([x, y]) => this.clamped([cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]));
  }
}

/** Corners after one handle was moved to a point. */
export function reshaped(from: readonly Point[], handle: Pick<Handle, 'kind' | 'index'>, [x, y]: Point, rect: boolean): Point[] {
  if (!rect) return from.map((point, index): Point => (index === handle.index ? [x, y] : point));
  let { x1, y1, x2, y2 } = bounds(from);
  const { index } = handle;
  const corner = handle.kind === 'corner';
  if (corner ? index === 0 || index === 3 : index === 3) x1 = x;
  if (corner ? index === 1 || index === 2 : index === 1) x2 = x;
  if (corner ? index < 2 : index === 0) y1 = y;
  if (corner ? index >= 2 : index === 2) y2 = y;
  [x1, x2, y1, y2] = [Math.min(x1, x2), Math.max(x1, x2), Math.min(y1, y2), Math.max(y1, y2)];
  if (x2 - x1 < 1) x2 = x1 + 1;
  if (y2 - y1 < 1) y2 = y1 + 1;
  return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
}
