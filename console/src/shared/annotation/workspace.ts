/** One picture while it is edited: document, selection, tool and undo. It lives outside React, which only listens. */
import { useSyncExternalStore } from 'react';
import type { Command, Size } from './commands';
import type { Doc } from './document';
import { apply, diff, isEmpty, partOf, same, touched, type Patch } from './patch';

import type { Tool } from '../canvas/stage';
export type { Tool };
/** One step of undo: what it did, and what takes it back. */
export type Step = { name: string; forward: Patch; inverse: Patch };
export type History = { undo: Step[]; redo: Step[] };
export const MOST_STEPS = 200;

/** A label or field with its look. */
export type Label = { name: string; colour: number; count: number };

type Events = {
  /** An edit of the person, to be kept and sent. */
  onEdit: (patch: Patch) => void;
  onHistory: (history: History) => void;
};

export type Notice = 'undoChanged' | 'redoChanged' | 'nothingToUndo' | 'nothingToRedo';

export class Workspace {
  doc: Doc;
  selection: readonly string[] = [];
  tool: Tool = 'select';
  history: History;
  readOnly = false;
  /** Boxes whose text is being read. */
  reading: ReadonlySet<string> = new Set();
  /** Box whose text a person is typing. */
  typing: string | null = null;
  hidden = false;
  /** Boxes that stay in the picture: those of a search or a filter; null = all. */
  shown: ReadonlySet<string> | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly sample: string,
    readonly size: Size,
    doc: Doc,
    history: History,
    private readonly events: Events,
  ) {
    this.doc = doc;
    this.history = history;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Change anything that is no part of the document. */
  set(part: Partial<Pick<Workspace, 'tool' | 'readOnly' | 'reading' | 'typing' | 'hidden' | 'shown'>>): void {
    Object.assign(this, part);
    this.tell();
  }

  select(ids: readonly string[]): void {
    const there = ids.filter((id) => this.doc.items[id]);
    if (same(there, this.selection)) return;
    this.selection = there;
    this.tell();
  }

  /** Run a command as one step of undo. */
  run(name: string, command: Command, select?: readonly string[]): boolean {
    if (this.readOnly) return false;
    const after = command(this.doc);
    const forward = diff(this.doc, after);
    if (isEmpty(forward)) return false;
    const inverse = diff(after, this.doc);
    this.doc = after;
    this.remember({ undo: [...this.history.undo, { name, forward, inverse }].slice(-MOST_STEPS), redo: [] });
    this.selection = (select ?? this.selection).filter((id) => after.items[id]);
    this.events.onEdit(forward);
    this.tell();
    return true;
  }

  /** Something that follows from an earlier step (the reading of a drawn box): undone together with it. */
  amend(command: Command): void {
    if (this.readOnly) return;
    const after = command(this.doc);
    const patch = diff(this.doc, after);
    if (isEmpty(patch)) return;
    const before = this.doc;
    this.doc = after;
    this.remember({ ...this.history, undo: amended(this.history.undo, before, patch) });
    this.events.onEdit(patch);
    this.tell();
  }

  undo(): Notice | null {
    const step = this.history.undo.at(-1);
    if (!step) return 'nothingToUndo';
    if (!this.fits(step.forward)) return 'undoChanged';
    this.back(step.inverse, { undo: this.history.undo.slice(0, -1), redo: [...this.history.redo, step] });
    return null;
  }

  redo(): Notice | null {
    const step = this.history.redo.at(-1);
    if (!step) return 'nothingToRedo';
    if (!this.fits(step.inverse)) return 'redoChanged';
    this.back(step.forward, { undo: [...this.history.undo, step], redo: this.history.redo.slice(0, -1) });
    return null;
  }

  /** Whether what a step left is still there: nobody else has changed it since. */
  private fits(left: Patch): boolean {
    return touched(left).every((name) => {
      const at = name.indexOf('/');
      const wanted = at < 0 ? left[name as 'state'] : (left[name.slice(0, at) as 'items'] ?? {})[name.slice(at + 1)];
      return same(partOf(this.doc, name), wanted ?? (at < 0 ? wanted : null));
    });
  }

  private back(patch: Patch, history: History): void {
    if (this.readOnly) return;
    this.doc = apply(this.doc, patch);
    this.remember(history);
    const changed = Object.keys(patch.items ?? {}).filter((id) => this.doc.items[id]);
    this.selection = changed.length ? changed : this.selection.filter((id) => this.doc.items[id]);
    this.events.onEdit(patch);
    this.tell();
  }

  private remember(history: History): void {
    this.history = history;
    this.events.onHistory(history);
  }

  /** The document as it is after somebody else's work was merged in. */
  replace(doc: Doc): void {
    this.doc = doc;
    this.selection = this.selection.filter((id) => doc.items[id]);
    this.tell();
  }
}

/** Steps in which the newest one that left a part leaves its amended value. */
export function amended(steps: readonly Step[], before: Doc, patch: Patch): Step[] {
  const result = [...steps];
  for (const name of touched(patch)) {
    const at = name.indexOf('/');
    const [table, key] = at < 0 ? [name, null] : [name.slice(0, at), name.slice(at + 1)];
    let place = result.length - 1;
    const has = (step: Step) => (key === null ? table in step.forward : key in ((step.forward as Record<string, object>)[table] ?? {}));
    while (place >= 0 && !has(result[place]!)) place -= 1;
    // A part that no step has touched belongs to the newest step.
    if (place < 0) place = result.length - 1;
    const step = result[place];
    if (!step) continue;
    const [forward, inverse] = [structuredClone(step.forward) as Record<string, unknown>, structuredClone(step.inverse) as Record<string, unknown>];
    const known = has(step);
    if (key === null) {
      forward[table] = (patch as Record<string, unknown>)[table];
      if (!known) inverse[table] = partOf(before, name);
    } else {
      forward[table] = { ...(forward[table] as object), [key]: (patch as Record<string, Record<string, unknown>>)[table]![key] };
      if (!known) inverse[table] = { ...(inverse[table] as object), [key]: partOf(before, name) };
    }
    result[place] = { ...step, forward: forward as Patch, inverse: inverse as Patch };
  }
  return result;
}

/** A part of the workspace; the component renders again only when that part is another value. */
export function useWorkspace<T>(workspace: Workspace, choose: (workspace: Workspace) => T): T {
  return useSyncExternalStore(workspace.subscribe, () => choose(workspace));
}
