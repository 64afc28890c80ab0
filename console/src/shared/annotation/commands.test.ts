import { expect, test } from 'vitest';
import { acceptItems, addItems, copies, growItems, labelItems, moveItems, placeItems, rejectItems, removeItems, setPart, setState, type Command } from './commands';
import { blank, emptyDoc, readingOrder, type Doc, type Item } from './document';
import { apply, diff, invert, isEmpty, same, tidy } from './patch';
import { addSuggestions, fieldOfKey, joinTexts, joinValues, setDirection, setField, setReading, setRole, setText, setValueText, toggleAbsent, toggleLink } from './text';
import { Workspace } from './workspace';

const SIZE = { width: 400, height: 300 };
const FIELDS = ['total', 'date', '合计'];

/** A repeatable stream of numbers 0..1. */
function stream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function anyDoc(random: () => number): Doc {
  let doc: Doc = emptyDoc('document');
  const count = Math.floor(random() * 12);
  for (let number = 0; number < count; number += 1) {
    const [x, y] = [random() * 300, random() * 250];
    doc = addItems([blank(`b${number}`, [[x, y], [x + 60, y], [x + 60, y + 20], [x, y + 20]], { text: random() < 0.5 ? `text ${number}` : '合计' })])(doc);
    if (random() < 0.3) doc = { ...doc, suggested: { ...doc.suggested, [`b${number}`]: { score: random() } } };
  }
  for (let step = 0; step < 6; step += 1) doc = anyCommand(random, doc)(doc);
  return doc;
}

function anyCommand(random: () => number, doc: Doc): Command {
  const all = Object.keys(doc.items);
  const some = all.filter(() => random() < 0.4);
  const one = all[Math.floor(random() * all.length)] ?? 'none';
  const field = FIELDS[Math.floor(random() * FIELDS.length)]!;
  const commands: Command[] = [
    addItems([blank(`n${Math.floor(random() * 1e6)}`, [[1, 1], [9, 1], [9, 9], [1, 9]])]),
    removeItems(some),
    moveItems(some, random() * 200 - 100, random() * 200 - 100, SIZE),
    growItems(some, random() * 40 - 20, random() * 40 - 20, SIZE),
    placeItems({ [one]: [[-5, 3], [500, 3], [500, 40], [-5, 40]] }, SIZE),
    labelItems(some, field),
    acceptItems(some),
    rejectItems(some),
    setText(one, `typed ${Math.floor(random() * 100)}`),
    setReading(one, 'read', { score: 0.5, characters: [0.9] }),
    setRole(some, (['key', 'value', 'background'] as const)[Math.floor(random() * 3)]!),
    setField(some, random() < 0.2 ? null : field),
    setDirection(some, 'vertical'),
    toggleLink(some, one, FIELDS),
    joinValues(some),
    setValueText(field, Math.floor(random() * 3), random() < 0.3 ? '' : 'value'),
    toggleAbsent(field),
    setState(random() < 0.5 ? 'labelled' : 'unlabelled'),
    setPart('test'),
  ];
  return commands[Math.floor(random() * commands.length)]!;
}

/** What the server would refuse. */
function faults(doc: Doc): string[] {
  const wrong: string[] = [];
  for (const item of Object.values(doc.items)) {
    for (const key of item.keys) if (doc.items[key]?.role !== 'key' || key === item.id) wrong.push(`${item.id} links to ${key}`);
    for (const [x, y] of item.points) if (!(x >= 0 && x <= SIZE.width && y >= 0 && y <= SIZE.height)) wrong.push(`${item.id} leaves the picture`);
  }
  for (const [field, values] of Object.entries(doc.values)) {
    if (values.length === 0) wrong.push(`${field} has an empty list`);
    if (doc.absent.includes(field)) wrong.push(`${field} is absent and has a value`);
    for (const value of values) for (const id of value.boxes) if (!doc.items[id]) wrong.push(`${field} lies over ${id}`);
  }
  for (const id of Object.keys(doc.suggested)) if (!doc.items[id]) wrong.push(`suggestion of ${id}`);
  return wrong;
}

test('doing and undoing any command gives the document that was there, and no command makes an invalid one', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = stream(seed);
    const before = anyDoc(random);
    const after = anyCommand(random, before)(before);
    const patch = diff(before, after);
    expect(same(apply(before, patch), after), `seed ${seed}`).toBe(true);
    expect(same(apply(after, invert(before, patch)), before), `seed ${seed}`).toBe(true);
    expect(faults(after), `seed ${seed}`).toEqual([]);
    expect(same(tidy(after), after), `seed ${seed}`).toBe(true);
  }
});

test('a workspace goes all steps back and forth again', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = stream(seed);
    const first = anyDoc(random);
    const sent: Doc[] = [];
    let stored = first;
    const workspace = new Workspace('s', SIZE, first, { undo: [], redo: [] }, { onEdit: (patch) => sent.push((stored = apply(stored, patch))), onHistory: () => undefined });
    for (let step = 0; step < 15; step += 1) workspace.run('any', anyCommand(random, workspace.doc));
    const last = workspace.doc;
    const steps = workspace.history.undo.length;
    for (let step = 0; step < steps; step += 1) expect(workspace.undo()).toBeNull();
    expect(same(workspace.doc, first), `seed ${seed}`).toBe(true);
    expect(workspace.undo()).toBe('nothingToUndo');
    for (let step = 0; step < steps; step += 1) expect(workspace.redo()).toBeNull();
    expect(same(workspace.doc, last), `seed ${seed}`).toBe(true);
    expect(same(stored, last), 'every step back and forth was sent as an edit').toBe(true);
  }
});

const box = (id: string, x: number, y: number, more: Partial<Item> = {}) => blank(id, [[x, y], [x + 40, y], [x + 40, y + 16], [x, y + 16]], more);
const page = addItems([box('k', 0, 0, { text: 'Total:' }), box('v', 100, 1, { text: '12.50' }), box('w', 100, 30, { text: 'EUR' })])(emptyDoc('document'));

test('undo leaves alone what somebody else has changed since', () => {
  const workspace = new Workspace('s', SIZE, page, { undo: [], redo: [] }, { onEdit: () => undefined, onHistory: () => undefined });
  workspace.run('text', setText('v', 'mine'));
  workspace.replace(setText('v', 'theirs')(workspace.doc));
  expect(workspace.undo()).toBe('undoChanged');
  expect(workspace.doc.items.v!.text).toBe('theirs');
});

test('the reading of a drawn box is undone together with the box', () => {
  const workspace = new Workspace('s', SIZE, emptyDoc('document'), { undo: [], redo: [] }, { onEdit: () => undefined, onHistory: () => undefined });
  workspace.run('draw', addItems([box('n', 5, 5)]));
  workspace.amend(setReading('n', 'read', { score: 0.7 }));
  expect(workspace.history.undo).toHaveLength(1);
  expect(workspace.undo()).toBeNull();
  expect(isEmpty(diff(emptyDoc('document'), workspace.doc))).toBe(true);
  expect(workspace.redo()).toBeNull();
  expect(workspace.doc.items.n!.text).toBe('read');
  expect(workspace.doc.suggested.n).toEqual({ score: 0.7 });
});

test('a link fills in roles and the field of the printed key, and goes with its key', () => {
  const linked = toggleLink(['v', 'w'], 'k', ['total'])(page);
  expect([linked.items.k!.role, linked.items.k!.label, linked.items.v!.role, linked.items.v!.label]).toEqual(['key', 'total', 'value', 'total']);
  expect(linked.items.v!.keys).toEqual(['k']);
  expect(linked.values.total).toEqual([{ text: '12.50', boxes: ['v'] }, { text: 'EUR', boxes: ['w'] }]);
  expect(toggleLink(['v'], 'k')(linked).items.v!.keys).toEqual([]);
  expect(removeItems(['k'])(linked).items.v!.keys).toEqual([]);
  expect(setRole(['k'], 'background')(linked).items.w!.keys).toEqual([]);
  expect(fieldOfKey('TOTAL ：', ['total'])).toBe('total');
  expect(fieldOfKey('合 计', [], { '合 计:': 'total' })).toBe('total');
  expect(fieldOfKey('', ['total'])).toBeNull();
});

test('several boxes become one value in reading order, and its text follows them', () => {
  const given = setField(['v'], 'total')(page);
  const joined = joinValues(['w', 'v'])(given);
  expect(joined.values.total).toEqual([{ text: '12.50 EUR', boxes: ['v', 'w'] }]);
  expect(setText('w', 'USD')(joined).values.total![0]!.text).toBe('12.50 USD');
  const typed = setValueText('total', 0, '12.5')(joined);
  expect(setText('w', 'USD')(typed).values.total![0]!.text).toBe('12.5');
  expect(removeItems(['w'])(joined).values.total).toEqual([{ text: '12.50 EUR', boxes: ['v'] }]);
  expect(joinTexts(['北京市', '朝阳区', 'Road', '5'])).toBe('北京市朝阳区 Road 5');
});

test('a field that is not on the page has no value, and the other way round', () => {
  const absent = toggleAbsent('total')(setField(['v'], 'total')(page));
  expect([absent.absent, absent.values.total, absent.items.v!.label]).toEqual([['total'], undefined, null]);
  expect(setField(['v'], 'total')(absent).absent).toEqual([]);
});

test('what a person edits or accepts is no suggestion any more', () => {
  const told: Doc = { ...page, suggested: { k: { score: 0.9 }, v: { score: 0.4 } } };
  expect(Object.keys(setText('v', 'x')(told).suggested)).toEqual(['k']);
  expect(Object.keys(moveItems(['k'], 1, 1, SIZE)(told).suggested)).toEqual(['v']);
  expect(rejectItems(['k', 'w'])(told).items).toEqual({ v: told.items.v, w: told.items.w });
  expect(setState('labelled')(told).suggested).toEqual({});
});

test('suggestions come in only where nothing is yet', () => {
  const suggested: Doc = { ...addItems([box('s1', 0, 0, { text: 'Total' }), box('s2', 200, 200, { text: 'new', keys: ['s1'] })])(emptyDoc('document')), suggested: { s1: { score: 0.5 }, s2: { score: 0.6 } }, values: { total: [{ text: 'new', boxes: ['s2'] }] } };
  const merged = addSuggestions(suggested, (item) => item.id === 's1', (id) => `x-${id}`)(page);
  expect(Object.keys(merged.items)).toEqual(['k', 'v', 'w', 'x-s2']);
  expect(merged.suggested).toEqual({ 'x-s2': { score: 0.6 } });
  expect(merged.values.total).toEqual([{ text: 'new', boxes: ['x-s2'] }]);
  expect(merged.items['x-s2']!.keys).toEqual([]);
});

test('boxes stay in the picture, copies keep links among themselves, order is that of reading', () => {
  const moved = moveItems(['k', 'v'], -50, -50, SIZE)(page);
  expect(moved.items.k!.points[0]).toEqual([0, 0]);
  expect(moved.items.v!.points[0]).toEqual([100, 1]);
  let number = 0;
  const made = copies(Object.values(toggleLink(['v'], 'k')(page).items), () => `c${(number += 1)}`);
  expect(made.map((item) => [item.id, item.keys])).toEqual([['c1', []], ['c2', ['c1']], ['c3', []]]);
  expect(readingOrder(page.items)).toEqual(['k', 'v', 'w']);
});
