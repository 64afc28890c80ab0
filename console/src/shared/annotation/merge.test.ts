import { expect, test } from 'vitest';
import { addItems, removeItems, setState } from './commands';
import { blank, emptyDoc, fromSample, toAnnotation, toObject, type Doc } from './document';
import { decide, diff, merge, toOperation } from './patch';
import { setField, setText, toggleLink } from './text';

const box = (id: string, x: number, text = '') => blank(id, [[x, 0], [x + 10, 0], [x + 10, 10], [x, 10]], { text });
const base: Doc = addItems([box('a', 0, 'a'), box('b', 20, 'b'), box('c', 40, 'c')])(emptyDoc('document'));
let number = 0;
const newId = () => `new${(number += 1)}`;

test('what one side changed is taken', () => {
  const mine = setText('a', 'mine')(base);
  const theirs = addItems([box('d', 60, 'd')])(setText('b', 'theirs')(base));
  const { merged, conflicts } = merge(base, mine, theirs);
  expect(conflicts).toEqual([]);
  expect(Object.values(merged.items).map((item) => item.text)).toEqual(['mine', 'theirs', 'c', 'd']);
});

test('what both sides changed alike is no conflict', () => {
  const both = setText('a', 'same')(base);
  expect(merge(base, both, setState('labelled')(both)).conflicts).toEqual([]);
});

test('what both sides changed differently is decided by a person: mine, theirs or both', () => {
  const mine = setText('a', 'mine')(base);
  const theirs = setText('a', 'theirs')(base);
  const { merged, conflicts } = merge(base, mine, theirs);
  expect(conflicts.map((conflict) => conflict.name)).toEqual(['items/a']);
  expect(merged.items.a!.text).toBe('theirs');
  const texts = (choice: 'mine' | 'theirs' | 'both') => Object.values(decide(merged, conflicts, { 'items/a': choice }, newId).items).map((item) => item.text);
  expect(texts('theirs')).toEqual(['theirs', 'b', 'c']);
  expect(texts('mine')).toEqual(['mine', 'b', 'c']);
  expect(texts('both')).toEqual(['theirs', 'b', 'c', 'mine']);
});

test('a box that one side removed and the other changed is a conflict too', () => {
  const { conflicts, merged } = merge(base, removeItems(['a'])(base), setText('a', 'theirs')(base));
  expect(conflicts).toHaveLength(1);
  expect(decide(merged, conflicts, { 'items/a': 'mine' }, newId).items.a).toBeUndefined();
});

test('links to a key that the other side removed go, so that the result can be stored', () => {
  const mine = toggleLink(['b'], 'a')(base);
  const { merged, conflicts } = merge(base, mine, removeItems(['a'])(base));
  expect(conflicts.map((conflict) => conflict.name)).toEqual(['items/a']);
  expect(merged.items.b!.keys).toEqual([]);
});

test('values of different fields merge', () => {
  const { merged, conflicts } = merge(base, setField(['a'], 'total')(base), setField(['b'], 'date')(base));
  expect(conflicts).toEqual([]);
  expect(Object.keys(merged.values).sort()).toEqual(['date', 'total']);
});

test('documents go to the interface and come back the same', () => {
  const doc: Doc = { ...toggleLink(['b'], 'a', ['a'])(base), absent: ['vat'], suggested: { c: { score: 0.5 } } };
  const back = fromSample('document', { annotation: toAnnotation(doc), suggested: { c: { score: 0.5, characters: [] } }, state: 'unlabelled', part: null });
  expect(diff(doc, back)).toEqual({});
  const operation = toOperation('document', 'id', diff(base, doc)) as Record<string, unknown>;
  expect(Object.keys(operation.boxes as object).sort()).toEqual(['a', 'b']);
  expect(operation.absent).toEqual(['vat']);
  expect(toObject({ ...box('o', 5), label: 'cup', rect: true })).toMatchObject({ box: [5, 0, 15, 10], polygon: null, label: 'cup' });
});
