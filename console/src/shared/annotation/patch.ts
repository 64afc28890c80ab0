/** Differences of documents: what is kept for undo, sent to the server, and merged with somebody else's work. */
import type { Doc, FieldValue, Item, Part, State, Suggestion } from './document';
import { toObject, toTextBox } from './document';
import type { Schemas } from '../api/client';

/** Parts that get new values; null removes one. */
export type Patch = {
  items?: Record<string, Item | null>;
  values?: Record<string, readonly FieldValue[] | null>;
  suggested?: Record<string, Suggestion | null>;
  absent?: readonly string[];
  labels?: readonly string[];
  state?: State;
  part?: Part | null;
};

const TABLES = ['items', 'values', 'suggested'] as const;
const WHOLES = ['absent', 'labels', 'state', 'part'] as const;

/** Whether two plain values have the same contents. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]));
}

/** The patch that makes `after` of `before`. */
export function diff(before: Doc, after: Doc): Patch {
  const patch: Record<string, unknown> = {};
  for (const table of TABLES) {
    const [old, now] = [before[table] as Record<string, unknown>, after[table] as Record<string, unknown>];
    if (old === now) continue;
    const changed: Record<string, unknown> = {};
    for (const key of Object.keys(now)) if (!same(old[key], now[key])) changed[key] = now[key];
    for (const key of Object.keys(old)) if (!(key in now)) changed[key] = null;
    if (Object.keys(changed).length) patch[table] = changed;
  }
  for (const name of WHOLES) if (!same(before[name], after[name])) patch[name] = after[name];
  return patch as Patch;
}

export const isEmpty = (patch: Patch) => Object.keys(patch).length === 0;

/** The document with a patch applied. */
export function apply(doc: Doc, patch: Patch): Doc {
  const result: Record<string, unknown> = { ...doc };
  for (const table of TABLES) {
    const changes = patch[table];
    if (!changes) continue;
    const next: Record<string, unknown> = { ...doc[table] };
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete next[key];
      else next[key] = value;
    }
    result[table] = next;
  }
  for (const name of WHOLES) if (name in patch) result[name] = patch[name];
  return result as Doc;
}

/** What takes a patch back again, given the document before it. */
export const invert = (before: Doc, patch: Patch): Patch => diff(apply(before, patch), before);

/** Names of the single parts that a patch touches: `items/b1`, `values/total`, `state`. */
export function touched(patch: Patch): string[] {
  const names: string[] = WHOLES.filter((name) => name in patch);
  for (const table of TABLES) for (const key of Object.keys(patch[table] ?? {})) names.push(`${table}/${key}`);
  return names;
}

/** One part of a document by its name, null when it is not there. */
export function partOf(doc: Doc, name: string): unknown {
  const at = name.indexOf('/');
  if (at < 0) return doc[name as (typeof WHOLES)[number]];
  return (doc[name.slice(0, at) as (typeof TABLES)[number]] as Record<string, unknown>)[name.slice(at + 1)] ?? null;
}

/** A patch with only those parts whose names pass. */
export function restrict(patch: Patch, keep: (name: string) => boolean): Patch {
  const result: Record<string, unknown> = {};
  for (const table of TABLES) {
    const kept = Object.entries(patch[table] ?? {}).filter(([key]) => keep(`${table}/${key}`));
    if (kept.length) result[table] = Object.fromEntries(kept);
  }
  for (const name of WHOLES) if (name in patch && keep(name)) result[name] = patch[name];
  return result as Patch;
}

/** A part that two people changed differently since `base`. */
export type Conflict = { name: string; mine: unknown; theirs: unknown };

/** Merge per part: taken where one side changed it; listed where both did and differ. */
export function merge(base: Doc, mine: Doc, theirs: Doc): { merged: Doc; conflicts: Conflict[] } {
  const wanted = diff(base, mine);
  const conflicts: Conflict[] = [];
  for (const name of touched(wanted)) {
    const [was, here, there] = [partOf(base, name), partOf(mine, name), partOf(theirs, name)];
    if (same(was, there) || same(here, there)) continue;
    // Who confirms a box and who changes it agree: the box counts, not the mark that it was a suggestion.
    if (!name.startsWith('suggested/')) conflicts.push({ name, mine: here, theirs: there });
  }
  const open = new Set(conflicts.map((conflict) => conflict.name));
  return { merged: tidy(apply(theirs, restrict(wanted, (name) => !open.has(name)))), conflicts };
}

/** Mine, theirs, or both: then mine stands beside theirs as a box of its own. */
export type Choice = 'mine' | 'theirs' | 'both';

/** The merged document with a decision for each conflict. */
export function decide(merged: Doc, conflicts: Conflict[], choices: Record<string, Choice>, newId: () => string): Doc {
  let doc = merged;
  for (const { name, mine } of conflicts) {
    const choice = choices[name] ?? 'theirs';
    const [table, key] = [name.split('/')[0]!, name.slice(name.indexOf('/') + 1)];
    if (choice === 'theirs') continue;
    if (choice === 'both' && table === 'items' && mine) {
      const id = newId();
      doc = apply(doc, { items: { [id]: { ...(mine as Item), id } } });
    } else if (name.includes('/')) doc = apply(doc, { [table]: { [key]: mine ?? null } } as Patch);
    else doc = apply(doc, { [name]: mine } as Patch);
  }
  return tidy(doc);
}

/** The document without links, values and suggestions that point to boxes which are gone. */
export function tidy(doc: Doc): Doc {
  if (doc.kind === 'classes') return doc;
  let items = doc.items;
  for (const item of Object.values(doc.items)) {
    const keys = item.keys.filter((key) => key !== item.id && doc.items[key]?.role === 'key');
    if (keys.length !== item.keys.length) items = { ...items, [item.id]: { ...item, keys } };
  }
  const values: Record<string, readonly FieldValue[]> = {};
  let changed = false;
  for (const [field, list] of Object.entries(doc.values)) {
    const kept = list
      .map((value) => (value.boxes.every((id) => doc.items[id]) ? value : { ...value, boxes: value.boxes.filter((id) => doc.items[id]) }))
      .filter((value, place) => value.boxes.length > 0 || list[place]!.boxes.length === 0);
    changed ||= kept.length !== list.length || kept.some((value, place) => value !== list[place]);
    if (kept.length) values[field] = kept;
  }
  const lost = Object.keys(doc.suggested).filter((id) => !doc.items[id]);
  const absent = doc.absent.filter((field) => !(values[field]?.length));
  return {
    ...doc,
    items,
    values: changed ? values : doc.values,
    absent: absent.length === doc.absent.length ? doc.absent : absent,
    suggested: lost.length ? Object.fromEntries(Object.entries(doc.suggested).filter(([id]) => doc.items[id])) : doc.suggested,
  };
}

type Operation = Schemas['Operation'];

/** A patch as the interface takes it. */
export function toOperation(kind: Doc['kind'], id: string, patch: Patch): Operation {
  const operation: Record<string, unknown> = { id };
  const boxes = Object.entries(patch.items ?? {});
  if (boxes.length && kind === 'document') operation.boxes = Object.fromEntries(boxes.map(([key, item]) => [key, item && toTextBox(item)]));
  if (boxes.length && kind === 'objects') operation.objects = Object.fromEntries(boxes.map(([key, item]) => [key, item && toObject(item)]));
  if (patch.values)
    operation.values = Object.fromEntries(
      Object.entries(patch.values).map(([field, list]) => [field, (list ?? []).map((value) => ({ field, text: value.text, box_ids: [...value.boxes] }))]),
    );
  if (patch.suggested) operation.suggested = patch.suggested;
  if (patch.absent) operation.absent = patch.absent;
  if (patch.labels) operation.labels = patch.labels;
  if (patch.state) operation.state = patch.state;
  if ('part' in patch) operation.part = patch.part ?? 'none';
  return operation as Operation;
}
