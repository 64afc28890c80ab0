/** Which samples are chosen: some by id, or all that the filter lets through but a few. */

export type Selection = { all: false; ids: ReadonlySet<string> } | { all: true; without: ReadonlySet<string> };

export const NOTHING: Selection = { all: false, ids: new Set() };
export const EVERYTHING: Selection = { all: true, without: new Set() };

export const has = (selection: Selection, id: string) => (selection.all ? !selection.without.has(id) : selection.ids.has(id));

export const size = (selection: Selection, total: number) =>
  selection.all ? Math.max(0, total - selection.without.size) : selection.ids.size;

/** The selection with samples added or taken away. */
export function change(selection: Selection, ids: Iterable<string>, on: boolean): Selection {
  const set = new Set(selection.all ? selection.without : selection.ids);
  for (const id of ids) {
    if (on !== selection.all) set.add(id);
    else set.delete(id);
  }
  return selection.all ? { all: true, without: set } : { all: false, ids: set };
}

/** What the server is told. */
export function told<F>(selection: Selection, filter: F) {
  return selection.all ? { filter, without: [...selection.without] } : { ids: [...selection.ids] };
}

/** Places from an anchor to where Shift was pressed, both ends included. */
export function range(anchor: number, to: number): number[] {
  const [low, high] = anchor <= to ? [anchor, to] : [to, anchor];
  return Array.from({ length: high - low + 1 }, (_, step) => low + step);
}

/** Where an arrow key leads in a grid, or null when the key moves nothing. */
export function step(key: string, at: number, columns: number, rows: number, total: number): number | null {
  const moves: Record<string, number> = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    PageDown: at + columns * rows,
    PageUp: at - columns * rows,
    Home: 0,
    End: total - 1,
  };
  const to = moves[key];
  if (to === undefined || total === 0) return null;
  return Math.min(total - 1, Math.max(0, to));
}
