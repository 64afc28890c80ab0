/** Commands of documents: text, roles, fields, links, values. */
import type { Command } from './commands';
import { changeItems, confirm } from './commands';
import type { Direction, Doc, FieldValue, Item, Role, Suggestion } from './document';
import { readingOrder } from './document';
import { tidy } from './patch';

const CJK = /[⺀-鿿豈-﫿＀-￯]/;

/** Texts of several boxes as one: with a space between words, without one between Chinese characters. */
export function joinTexts(texts: readonly string[]): string {
  return texts
    .filter((text) => text.length > 0)
    .reduce((joined, text) => (joined === '' ? text : CJK.test(joined.at(-1)!) && CJK.test(text[0]!) ? joined + text : `${joined} ${text}`), '');
}

const textsOf = (doc: Doc, boxes: readonly string[]) => joinTexts(boxes.map((id) => doc.items[id]?.text ?? ''));

/** Field and place of the value that a box belongs to. */
export function valueOf(doc: Doc, id: string): { field: string; place: number } | null {
  for (const [field, list] of Object.entries(doc.values)) {
    const place = list.findIndex((value) => value.boxes.includes(id));
    if (place >= 0) return { field, place };
  }
  return null;
}

/** Take boxes out of the values that they belong to; a value without any box left goes. */
function detach(doc: Doc, ids: readonly string[]): Doc {
  const values: Record<string, readonly FieldValue[]> = {};
  for (const [field, list] of Object.entries(doc.values)) {
    const kept = list.flatMap((value): FieldValue[] => {
      if (!value.boxes.some((id) => ids.includes(id))) return [value];
      const boxes = value.boxes.filter((id) => !ids.includes(id));
      return boxes.length ? [{ boxes, text: value.text === textsOf(doc, value.boxes) ? textsOf(doc, boxes) : value.text }] : [];
    });
    if (kept.length) values[field] = kept;
  }
  return { ...doc, values };
}

/** Make each box that is a value of a field, and belongs to no value yet, a value of its own. */
function attach(doc: Doc, ids: readonly string[]): Doc {
  let next = doc;
  for (const id of ids) {
    const item = next.items[id];
    if (!item?.label || item.role !== 'value' || valueOf(next, id)) continue;
    const list = next.values[item.label] ?? [];
    next = {
      ...next,
      values: { ...next.values, [item.label]: [...list, { text: item.text, boxes: [id] }] },
      absent: next.absent.filter((field) => field !== item.label),
    };
  }
  return next;
}

/** New text of a box; a value that is just the text of its boxes follows. */
export const setText = (id: string, text: string): Command => (doc) => {
  if (!doc.items[id]) return doc;
  const changed = changeItems([id], (item) => ({ ...item, text }))(doc);
  return follow(doc, changed, id);
};

/** What a reader says of a box: taken only where no person has typed anything, and without touching role, field or links. */
export const setReading = (id: string, text: string, reading: Suggestion): Command => (doc) => {
  const item = doc.items[id];
  if (!item) return doc;
  const changed: Doc = { ...doc, items: { ...doc.items, [id]: { ...item, text } }, suggested: { ...doc.suggested, [id]: reading } };
  return follow(doc, changed, id);
};

function follow(before: Doc, after: Doc, id: string): Doc {
  const at = valueOf(before, id);
  if (!at) return after;
  const list = before.values[at.field]!;
  const value = list[at.place]!;
  if (value.text !== textsOf(before, value.boxes)) return after;
  const next = list.map((old, place) => (place === at.place ? { ...value, text: textsOf(after, value.boxes) } : old));
  return { ...after, values: { ...after.values, [at.field]: next } };
}

export const setDirection = (ids: readonly string[], direction: Direction): Command => changeItems(ids, (item) => ({ ...item, direction }));

/** Give boxes a role; what no longer fits goes: links of keys, links to what is no key, values of what is no value. */
export const setRole = (ids: readonly string[], role: Role): Command => (doc) => {
  let next = changeItems(ids, (item) => ({
    ...item, role, keys: role === 'value' ? item.keys : [], label: role === 'background' ? null : item.label,
  }))(doc);
  next = role === 'value' ? attach(next, ids) : detach(next, ids);
  return tidy(next);
};

/** Give boxes a field; a background box becomes a value of it. */
export const setField = (ids: readonly string[], field: string | null): Command => (doc) => {
  const cleared = detach(doc, ids);
  const next = changeItems(ids, (item) => ({ ...item, label: field, role: field && item.role === 'background' ? 'value' : item.role }))(cleared);
  return attach(next, ids);
};

/** Field of a printed key, as far as the page or the dataset tells. */
export function fieldOfKey(text: string, fields: readonly string[], dictionary: Readonly<Record<string, string>> = {}): string | null {
  const plain = (word: string) => word.normalize('NFKC').toLowerCase().replace(/[\s.:：]+$/u, '').trim();
  const wanted = plain(text);
  if (!wanted) return null;
  const told = Object.entries(dictionary).find(([raw]) => plain(raw) === wanted);
  return told?.[1] ?? fields.find((field) => plain(field) === wanted) ?? null;
}

/** Link values to a key, or take the links away where all have them; roles and fields that are open are filled in. */
export const toggleLink = (
  values: readonly string[],
  key: string,
  fields: readonly string[] = [],
  dictionary: Readonly<Record<string, string>> = {},
): Command => (doc) => {
  const chosen = values.filter((id) => id !== key && doc.items[id]);
  const target = doc.items[key];
  if (!target || chosen.length === 0) return doc;
  const all = chosen.every((id) => doc.items[id]!.keys.includes(key));
  if (all) return changeItems(chosen, (item) => ({ ...item, keys: item.keys.filter((other) => other !== key) }))(doc);
  const field = target.label ?? chosen.map((id) => doc.items[id]!.label).find((label) => label !== null) ?? fieldOfKey(target.text, fields, dictionary);
  let next = target.role === 'value' ? detach(doc, [key]) : doc;
  next = changeItems([key], (item) => ({ ...item, role: 'key', keys: [], label: item.label ?? field }))(next);
  next = changeItems(chosen, (item) => ({
    ...item, role: 'value', label: item.label ?? field, keys: item.keys.includes(key) ? item.keys : [...item.keys, key],
  }))(next);
  return tidy(attach(next, chosen));
};

/** Several boxes become one value, in reading order; they get the field of the first that has one. */
export const joinValues = (ids: readonly string[]): Command => (doc) => {
  const boxes = readingOrder(doc.items).filter((id) => ids.includes(id));
  if (boxes.length < 2) return doc;
  const field = boxes.map((id) => doc.items[id]!.label).find((label) => label !== null) ?? null;
  let next = detach(doc, boxes);
  next = changeItems(boxes, (item) => ({ ...item, role: 'value', label: field }))(next);
  next = tidy(next);
  if (field === null) return next;
  const list = next.values[field] ?? [];
  return {
    ...next,
    values: { ...next.values, [field]: [...list, { text: textsOf(next, boxes), boxes }] },
    absent: next.absent.filter((name) => name !== field),
  };
};

/** Type the value of a field as it should be, whatever its boxes read. */
export const setValueText = (field: string, place: number, text: string): Command => (doc) => {
  const list = doc.values[field] ?? [];
  const next = place < list.length ? list.map((value, at) => (at === place ? { ...value, text } : value)) : [...list, { text, boxes: [] }];
  const kept = next.filter((value) => value.text.trim() !== '' || value.boxes.length > 0);
  const values = { ...doc.values, [field]: kept };
  if (kept.length === 0) delete values[field];
  return { ...doc, values, absent: kept.length ? doc.absent.filter((name) => name !== field) : doc.absent };
};

/** Say that a field is not on this page, or take that back. */
export const toggleAbsent = (field: string): Command => (doc) => {
  if (doc.absent.includes(field)) return { ...doc, absent: doc.absent.filter((name) => name !== field) };
  const values = { ...doc.values };
  delete values[field];
  const items = Object.fromEntries(
    Object.entries(doc.items).map(([id, item]): [string, Item] => [id, item.label === field && item.role === 'value' ? { ...item, label: null } : item]),
  );
  return confirm({ ...doc, items, values, absent: [...doc.absent, field] }, []);
};

/** A model's suggestion for the page beside what is there: boxes that cover nothing drawn yet come in as suggestions. */
export const addSuggestions = (page: Pick<Doc, 'items' | 'values' | 'suggested' | 'labels'>, covered: (item: Item) => boolean, rename: (id: string) => string): Command => (doc) => {
  if (doc.kind === 'classes') return { ...doc, labels: doc.labels.length ? doc.labels : page.labels, suggested: page.suggested };
  const fresh = Object.values(page.items).filter((item) => !covered(item));
  const names = new Map(fresh.map((item) => [item.id, rename(item.id)]));
  const items = { ...doc.items };
  const suggested = { ...doc.suggested };
  for (const item of fresh) {
    const id = names.get(item.id)!;
    items[id] = { ...item, id, keys: item.keys.flatMap((key) => names.get(key) ?? []) };
    if (page.suggested[item.id]) suggested[id] = page.suggested[item.id]!;
  }
  const values: Record<string, readonly FieldValue[]> = { ...doc.values };
  for (const [field, list] of Object.entries(page.values)) {
    if (values[field]?.length || doc.absent.includes(field)) continue;
    const kept = list.flatMap((value) => {
      const boxes = value.boxes.flatMap((id) => names.get(id) ?? []);
      return boxes.length ? [{ text: value.text, boxes }] : [];
    });
    if (kept.length) values[field] = kept;
  }
  return tidy({ ...doc, items, suggested, values });
};
