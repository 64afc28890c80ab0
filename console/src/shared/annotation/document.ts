import type { Schemas } from '../api/client';
import type { Point } from '../canvas/shapes';

export type Role = 'key' | 'value' | 'background';
export type Direction = 'horizontal' | 'vertical';
export type State = 'unlabelled' | 'pre_labelled' | 'labelled';
export type Part = 'train' | 'validation' | 'test';

/** One box on a picture: a text box of a document, or an object. Corners are pixels of the upright picture. */
export type Item = {
  readonly id: string;
  readonly points: readonly Point[];
  /** Axis-parallel rectangle, which stays one when it is resized. */
  readonly rect: boolean;
  /** Field of a text box, label of an object. */
  readonly label: string | null;
  readonly text: string;
  readonly role: Role;
  readonly direction: Direction;
  /** Ids of the keys that a value is linked to. */
  readonly keys: readonly string[];
  readonly difficult: boolean;
  readonly crowd: boolean;
};

/** One value of a field: as a person would type it, and the boxes that it lies over. */
export type FieldValue = { readonly text: string; readonly boxes: readonly string[] };
/** Confidence of a model in something that no person has confirmed; of each character where that is known. */
export type Suggestion = { readonly score: number; readonly characters?: readonly number[] };

/** What is said about one picture while it is edited: plain values that are never changed, only replaced. */
export type Doc = {
  readonly kind: 'document' | 'classes' | 'objects';
  readonly items: Readonly<Record<string, Item>>;
  readonly values: Readonly<Record<string, readonly FieldValue[]>>;
  readonly absent: readonly string[];
  readonly labels: readonly string[];
  readonly suggested: Readonly<Record<string, Suggestion>>;
  readonly state: State;
  readonly part: Part | null;
};

export const emptyDoc = (kind: Doc['kind']): Doc => ({
  kind,
  items: {},
  values: {},
  absent: [],
  labels: [],
  suggested: {},
  state: 'unlabelled',
  part: null,
});

type Sample = Pick<Schemas['SampleView'], 'annotation' | 'suggested' | 'state' | 'part'>;

/** The document of a sample as the server tells it. */
export function fromSample(kind: Doc['kind'], sample: Sample): Doc {
  const doc = { ...emptyDoc(kind), state: sample.state as State, part: (sample.part ?? null) as Part | null, suggested: suggestions(sample.suggested) };
  return { ...doc, ...contents(sample.annotation ?? null) };
}

export function suggestions(told: Schemas['SampleView']['suggested'] | undefined): Record<string, Suggestion> {
  return Object.fromEntries(
    Object.entries(told ?? {}).map(([id, item]) => [id, item.characters?.length ? { score: item.score, characters: item.characters } : { score: item.score }]),
  );
}

type Annotation = NonNullable<Schemas['SampleView']['annotation']>;

export function contents(annotation: Annotation | null | undefined): Partial<Doc> {
  if (!annotation) return {};
  if (annotation.kind === 'classes') return { labels: annotation.labels ?? [] };
  if (annotation.kind === 'objects')
    return { items: byId((annotation.objects ?? []).map(fromObject)) };
  const values: Record<string, FieldValue[]> = {};
  const items = byId((annotation.boxes ?? []).map(fromTextBox));
  for (const value of annotation.values ?? []) {
    (values[value.field] ??= []).push({ text: value.text, boxes: value.box_ids ?? [] });
    // Some imports say only in the values which boxes belong to a field.
    for (const id of value.box_ids ?? []) {
      const item = items[id];
      if (item?.label === null) items[id] = { ...item, label: value.field, role: item.role === 'background' ? 'value' : item.role };
    }
  }
  return { items, values, absent: annotation.absent ?? [] };
}

const byId = (items: Item[]) => Object.fromEntries(items.map((item) => [item.id, item]));

function fromTextBox(box: Schemas['TextBox']): Item {
  const points = box.polygon as unknown as Point[];
  return {
    id: box.id,
    points,
    rect: isRect(points),
    label: box.field ?? null,
    text: box.text ?? '',
    role: box.role ?? 'background',
    direction: box.direction ?? 'horizontal',
    keys: box.key_ids ?? [],
    difficult: false,
    crowd: false,
  };
}

function fromObject(shape: Schemas['ObjectShape']): Item {
  const [left, top, right, bottom] = shape.box as unknown as [number, number, number, number];
  const polygon = shape.polygon as unknown as Point[] | null | undefined;
  return {
    ...blank(shape.id ?? '', polygon ?? [[left, top], [right, top], [right, bottom], [left, bottom]]),
    rect: !polygon,
    label: shape.label,
    difficult: shape.difficult ?? false,
    crowd: shape.crowd ?? false,
  };
}

/** A box of which only the place is known. */
export function blank(id: string, points: readonly Point[], more: Partial<Item> = {}): Item {
  return {
    id, points, rect: isRect(points), label: null, text: '', role: 'background', direction: 'horizontal', keys: [], difficult: false, crowd: false, ...more,
  };
}

/** Whether corners run clockwise from the top left along the axes. */
export function isRect(points: readonly Point[]): boolean {
  if (points.length !== 4) return false;
  const [a, b, c, d] = points as [Point, Point, Point, Point];
  return a[1] === b[1] && b[0] === c[0] && c[1] === d[1] && d[0] === a[0] && b[0] >= a[0] && d[1] >= a[1];
}

export const toTextBox = (item: Item): Schemas['TextBox'] => ({
  id: item.id,
  polygon: item.points as unknown as Schemas['TextBox']['polygon'],
  text: item.text,
  role: item.role,
  field: item.label,
  direction: item.direction,
  key_ids: [...item.keys],
});

export function toObject(item: Item): Schemas['ObjectShape'] {
  const xs = item.points.map(([x]) => x);
  const ys = item.points.map(([, y]) => y);
  return {
    id: item.id,
    label: item.label ?? '',
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as unknown as Schemas['ObjectShape']['box'],
    polygon: item.rect ? null : (item.points as unknown as Schemas['ObjectShape']['polygon']),
    difficult: item.difficult,
    crowd: item.crowd,
  };
}

/** The document as an annotation of the interface, for drawing it read-only. */
export function toAnnotation(doc: Doc): Annotation {
  if (doc.kind === 'classes') return { kind: 'classes', labels: [...doc.labels] };
  const items = Object.values(doc.items);
  if (doc.kind === 'objects') return { kind: 'objects', objects: items.map(toObject) };
  const values = Object.entries(doc.values).flatMap(([field, list]) => list.map((value) => ({ field, text: value.text, box_ids: [...value.boxes] })));
  return { kind: 'document', boxes: items.map(toTextBox), values, absent: [...doc.absent] };
}

const orders = new WeakMap<object, string[]>();

/** Ids in reading order: rows from the top, boxes of a row from the left; the same rule as the server's reader. */
export function readingOrder(items: Doc['items']): string[] {
  const known = orders.get(items);
  if (known) return known;
  const placed = Object.values(items).map((item) => {
    const xs = item.points.map(([x]) => x);
    const ys = item.points.map(([, y]) => y);
    const top = Math.min(...ys);
    const bottom = Math.max(...ys);
    return { id: item.id, left: Math.min(...xs), centre: (top + bottom) / 2, height: bottom - top };
  });
  placed.sort((one, other) => one.centre - other.centre || one.left - other.left);
  const rows: (typeof placed)[] = [];
  for (const box of placed) {
    const row = rows[rows.length - 1];
    if (row && Math.abs(box.centre - row[0]!.centre) < 0.5 * Math.min(box.height, row[0]!.height)) row.push(box);
    else rows.push([box]);
  }
  const order = rows.flatMap((row) => row.sort((one, other) => one.left - other.left).map((box) => box.id));
  orders.set(items, order);
  return order;
}
