/** Keys: letters match by what they write, digits by where they are, so that every keyboard layout works. */
import { acceptItems, addItems, copies, growItems, moveItems, rejectItems, removeItems } from '../../shared/annotation/commands';
import { readingOrder, type Item } from '../../shared/annotation/document';
import { boxId } from '../../shared/annotation/ids';
import type { Tool } from '../../shared/annotation/workspace';
import { bounds } from '../../shared/canvas/shapes';
import { toPicture } from '../../shared/canvas/view';
import type { AnnotationContext, AnnotationParts, Hotkey } from '../../shared/scenario/annotation';

/** What the page itself does. */
export type PageActions = {
  previous: () => void;
  next: () => void;
  undo: () => void;
  redo: () => void;
  help: () => void;
  prelabel: () => void;
  copyPrevious: () => void;
  copyNext: () => void;
};

const mac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Whether an event is the key written as `Ctrl+Shift+Z`, `Shift+1`, `ArrowLeft`, `L`. */
export function matches(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split('+');
  const key = parts.pop() || '+';
  const wants = (name: string) => parts.includes(name);
  const control = mac ? event.metaKey || event.ctrlKey : event.ctrlKey;
  if (wants('Ctrl') !== control || wants('Alt') !== event.altKey) return false;
  if (/^\d$/.test(key)) return wants('Shift') === event.shiftKey && (event.code === `Digit${key}` || event.code === `Numpad${key}`);
  // Signs such as ? and [ need Shift on some keyboards and not on others: what is written counts.
  if (key.length === 1 && !/[a-z]/i.test(key)) return event.key === key;
  return wants('Shift') === event.shiftKey && event.key.toLowerCase() === key.toLowerCase();
}

export const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

let clipboard: readonly Item[] = [];

const ids = (context: AnnotationContext) => context.workspace.selection;
const size = (context: AnnotationContext) => context.sample;

function step(context: AnnotationContext, by: number): void {
  const { workspace, stage } = context;
  const order = readingOrder(workspace.doc.items).filter((id) => workspace.shown === null || workspace.shown.has(id));
  if (order.length === 0) return;
  const at = order.indexOf(workspace.selection[0] ?? '');
  const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length]!;
  workspace.select([next]);
  stage?.reveal([next]);
}

const chosenSuggestions = (context: AnnotationContext, all: boolean) => {
  const { suggested } = context.workspace.doc;
  return all ? Object.keys(suggested) : ids(context).filter((id) => id in suggested);
};

function cycle(context: AnnotationContext, by: number): void {
  const { stage, workspace } = context;
  const points = stage?.pointsOf(workspace.selection[0] ?? '');
  if (!stage || !points) return;
  const box = bounds(points);
  const hits = stage.outlines.at([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], 2).map((outline) => outline.id);
  const at = hits.indexOf(workspace.selection[0]!);
  if (hits.length > 1) workspace.select([hits[(at + by + hits.length) % hits.length]!]);
}

function newBox(context: AnnotationContext, parts: AnnotationParts): void {
  const { stage, sample } = context;
  if (!stage || !parts.draw) return;
  const [x, y] = toPicture(stage.view, [stage.area.width / 2, stage.area.height / 2]);
  const [width, height] = [Math.max(8, Math.min(sample.width / 4, 160 / stage.view.scale)), Math.max(8, Math.min(sample.height / 4, 40 / stage.view.scale))];
  const left = Math.min(Math.max(0, x - width / 2), sample.width - width);
  const top = Math.min(Math.max(0, y - height / 2), sample.height - height);
  parts.draw(context, [[left, top], [left + width, top], [left + width, top + height], [left, top + height]], true);
}

export function paste(context: AnnotationContext, items: readonly Item[], name: string): void {
  const made = copies(items, boxId).map((item) => ({ ...item, points: item.points.map(([x, y]) => [Math.min(x, context.sample.width), Math.min(y, context.sample.height)] as const) }));
  const whole = made.filter((item) => {
    const box = bounds(item.points);
    return box.x2 - box.x1 >= 1 && box.y2 - box.y1 >= 1;
  });
  if (whole.length) context.workspace.run(name, addItems(whole), whole.map((item) => item.id));
}

const tool = (name: Tool) => (context: AnnotationContext) => context.workspace.set({ tool: name });
const arrow = (dx: number, dy: number) => (context: AnnotationContext) => void context.workspace.run('move', moveItems(ids(context), dx, dy, size(context)));
const grow = (dx: number, dy: number) => (context: AnnotationContext) => void context.workspace.run('resize', growItems(ids(context), dx, dy, size(context)));

/** All keys of a workspace, the page's and the scenario's. */
export function hotkeys(parts: AnnotationParts, page: PageActions): Hotkey[] {
  const everywhere: Hotkey[] = [
    { id: 'previous', keys: ['A'], run: page.previous },
    { id: 'next', keys: ['D'], run: page.next },
    { id: 'done', keys: ['Ctrl+Enter'], run: (context) => context.done() },
    { id: 'undo', keys: ['Ctrl+Z'], run: page.undo },
    { id: 'redo', keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], run: page.redo },
    { id: 'fit', keys: ['F'], run: ({ stage }) => stage?.fit() },
    { id: 'actual', keys: ['0'], run: ({ stage }) => stage?.actual() },
    { id: 'zoomIn', keys: ['+', '='], run: ({ stage }) => stage?.zoom(1.25) },
    { id: 'zoomOut', keys: ['-'], run: ({ stage }) => stage?.zoom(0.8) },
    { id: 'find', keys: ['/'], run: (context) => context.findLabel() },
    { id: 'prelabel', keys: ['P'], run: page.prelabel },
    { id: 'help', keys: ['?'], run: page.help },
  ];
  const boxes: Hotkey[] = parts.tools.includes('select')
    ? [
        { id: 'select', keys: ['V'], run: tool('select') },
        { id: 'rectangle', keys: ['W'], run: tool('rectangle') },
        ...(parts.tools.includes('polygon') ? [{ id: 'polygon', keys: ['Q'], run: tool('polygon') }] : []),
        { id: 'newBox', keys: ['B'], run: (context) => newBox(context, parts) },
        { id: 'selectAll', keys: ['Ctrl+A'], run: ({ workspace }) => workspace.select(Object.keys(workspace.doc.items)) },
        { id: 'zoomSelection', keys: ['Z'], run: (context) => context.stage?.fitTo(ids(context)) },
        { id: 'nextBox', keys: ['Tab'], run: (context) => step(context, 1) },
        { id: 'previousBox', keys: ['Shift+Tab'], run: (context) => step(context, -1) },
        { id: 'delete', keys: ['Delete', 'Backspace'], run: (context) => void context.workspace.run('delete', removeItems(ids(context))) },
        { id: 'copy', keys: ['Ctrl+C'], run: ({ workspace }) => void (clipboard = workspace.selection.map((id) => workspace.doc.items[id]!)) },
        { id: 'paste', keys: ['Ctrl+V'], run: (context) => paste(context, clipboard, 'paste') },
        { id: 'copyPrevious', keys: ['C'], run: page.copyPrevious },
        { id: 'copyNext', keys: ['Shift+D'], run: page.copyNext },
        { id: 'accept', keys: ['Y'], run: (context) => void context.workspace.run('accept', acceptItems(chosenSuggestions(context, false))) },
        { id: 'acceptAll', keys: ['Shift+Y'], run: (context) => void context.workspace.run('accept', acceptItems(chosenSuggestions(context, true))) },
        { id: 'reject', keys: ['N'], run: (context) => void context.workspace.run('reject', rejectItems(chosenSuggestions(context, false))) },
        { id: 'rejectAll', keys: ['Shift+N'], run: (context) => void context.workspace.run('reject', rejectItems(chosenSuggestions(context, true))) },
        { id: 'overlapNext', keys: [']'], run: (context) => cycle(context, 1) },
        { id: 'overlapPrevious', keys: ['['], run: (context) => cycle(context, -1) },
        { id: 'move', keys: ['ArrowLeft'], run: arrow(-1, 0) },
        { id: 'move', keys: ['ArrowRight'], run: arrow(1, 0) },
        { id: 'move', keys: ['ArrowUp'], run: arrow(0, -1) },
        { id: 'move', keys: ['ArrowDown'], run: arrow(0, 1) },
        { id: 'moveFar', keys: ['Shift+ArrowLeft'], run: arrow(-10, 0) },
        { id: 'moveFar', keys: ['Shift+ArrowRight'], run: arrow(10, 0) },
        { id: 'moveFar', keys: ['Shift+ArrowUp'], run: arrow(0, -10) },
        { id: 'moveFar', keys: ['Shift+ArrowDown'], run: arrow(0, 10) },
        { id: 'resize', keys: [mac ? 'Alt+ArrowLeft' : 'Ctrl+ArrowLeft'], run: grow(-1, 0) },
        { id: 'resize', keys: [mac ? 'Alt+ArrowRight' : 'Ctrl+ArrowRight'], run: grow(1, 0) },
        { id: 'resize', keys: [mac ? 'Alt+ArrowUp' : 'Ctrl+ArrowUp'], run: grow(0, -1) },
        { id: 'resize', keys: [mac ? 'Alt+ArrowDown' : 'Ctrl+ArrowDown'], run: grow(0, 1) },
      ]
    : [];
  const digits: Hotkey[] = DIGITS.map((digit, place) => ({
    id: 'digit',
    keys: [digit],
    run: (context) => {
      const label = context.labels.items[place];
      if (label) parts.assign(context, label.name);
    },
  }));
  return [...parts.hotkeys, ...digits, ...boxes, ...everywhere];
}

