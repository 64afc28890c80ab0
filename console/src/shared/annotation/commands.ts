/** Edits of boxes that every scenario shares: pure functions, document in, document out. */
import type { Point } from '../canvas/shapes';
import { bounds } from '../canvas/shapes';
import type { Doc, Item, Part, State } from './document';
import { tidy } from './patch';

export type Size = { width: number; height: number };
export type Command = (doc: Doc) => Doc;

const edit = (doc: Doc, ids: readonly string[], change: (item: Item) => Item): Doc => {
  const items = { ...doc.items };
  for (const id of ids) if (items[id]) items[id] = change(items[id]);
  return confirm({ ...doc, items }, ids);
};

/** What a person has edited is no suggestion any more. */
export function confirm(doc: Doc, ids: readonly string[]): Doc {
  if (!ids.some((id) => id in doc.suggested)) return doc;
  return { ...doc, suggested: Object.fromEntries(Object.entries(doc.suggested).filter(([id]) => !ids.includes(id))) };
}

export const addItems = (items: readonly Item[]): Command => (doc) => ({
  ...doc,
  items: { ...doc.items, ...Object.fromEntries(items.map((item) => [item.id, item])) },
});

export const changeItems = (ids: readonly string[], change: (item: Item) => Item): Command => (doc) => edit(doc, ids, change);

/** Remove boxes, with the links and values that point to them. */
export const removeItems = (ids: readonly string[]): Command => (doc) => {
  const items = Object.fromEntries(Object.entries(doc.items).filter(([id]) => !ids.includes(id)));
  return tidy({ ...doc, items });
};

/** New corners for boxes, clamped to the picture. */
export const placeItems = (places: Readonly<Record<string, readonly Point[]>>, size: Size): Command => (doc) =>
  edit(doc, Object.keys(places), (item) => ({ ...item, points: clamp(places[item.id]!, size) }));

export const clamp = (points: readonly Point[], size: Size): Point[] =>
  points.map(([x, y]) => [round(Math.min(Math.max(x, 0), size.width)), round(Math.min(Math.max(y, 0), size.height))]);

/** Hundredths of a pixel are finer than anybody can point. */
const round = (value: number) => Math.round(value * 100) / 100;

/** How far boxes may move so that none leaves the picture. */
export function allowed(items: readonly (readonly Point[])[], dx: number, dy: number, size: Size): Point {
  const box = bounds(items.flat());
  return [Math.min(Math.max(dx, -box.x1), size.width - box.x2), Math.min(Math.max(dy, -box.y1), size.height - box.y2)];
}

export const moveItems = (ids: readonly string[], dx: number, dy: number, size: Size): Command => (doc) => {
  const chosen = ids.map((id) => doc.items[id]).filter((item): item is Item => item !== undefined);
  if (chosen.length === 0) return doc;
  const [x, y] = allowed(chosen.map((item) => item.points), dx, dy, size);
  return placeItems(Object.fromEntries(chosen.map((item) => [item.id, item.points.map(([px, py]): Point => [px + x, py + y])])), size)(doc);
};

/** Make boxes wider and higher by moving their right and bottom edges; never below one pixel. */
export const growItems = (ids: readonly string[], dx: number, dy: number, size: Size): Command => (doc) => {
  const places: Record<string, Point[]> = {};
  for (const id of ids) {
    const item = doc.items[id];
    if (!item) continue;
    const box = bounds(item.points);
    const [width, height] = [Math.max(1, box.x2 - box.x1), Math.max(1, box.y2 - box.y1)];
    const [sx, sy] = [Math.max(1, width + dx) / width, Math.max(1, height + dy) / height];
    places[id] = item.points.map(([x, y]): Point => [box.x1 + (x - box.x1) * sx, box.y1 + (y - box.y1) * sy]);
  }
  return placeItems(places, size)(doc);
};

export const labelItems = (ids: readonly string[], label: string | null): Command => changeItems(ids, (item) => ({ ...item, label }));

/** A person says that suggestions are right. */
export const acceptItems = (ids: readonly string[]): Command => (doc) => confirm(doc, ids);
/** A person says that suggestions are wrong: they go. */
export const rejectItems = (ids: readonly string[]): Command => (doc) => removeItems(ids.filter((id) => id in doc.suggested))(doc);

export const setState = (state: State): Command => (doc) => ({ ...doc, state, suggested: state === 'labelled' ? {} : doc.suggested });
export const setPart = (part: Part | null): Command => (doc) => ({ ...doc, part });

/** Copies of boxes under new ids; links among the copied ones are copied, others are cut. */
export function copies(items: readonly Item[], newId: () => string): Item[] {
  const names = new Map(items.map((item) => [item.id, newId()]));
  return items.map((item) => ({ ...item, id: names.get(item.id)!, keys: item.keys.flatMap((key) => names.get(key) ?? []) }));
}

/** Turn corners about their common centre, by an angle in radians; a rectangle becomes a polygon. */
export function turn(points: readonly Point[], angle: number): Point[] {
  const box = bounds(points);
  const [cx, cy] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return points.map(([x, y]) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]);
}
