/** Edits that the server does not have yet, kept on this machine: they survive a reload, a crash and a lost network. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Doc } from '../../../shared/annotation/document';
import type { Patch } from '../../../shared/annotation/patch';
import type { History } from '../../../shared/annotation/workspace';

/** One edit; `create` names labels that are new to the dataset. */
export type Operation = { id: string; patch: Patch; create: readonly string[] };
/** All that is needed to go on with a sample: the state that the edits are made on, and the edits in order. */
export type Kept = { sample: string; dataset: string; kind: Doc['kind']; tab: string; revision: number; base: Doc; operations: readonly Operation[] };

export interface Storage {
  put(kept: Kept): Promise<void>;
  remove(sample: string, tab: string): Promise<void>;
  all(): Promise<Kept[]>;
  putHistory(sample: string, history: History): Promise<void>;
  history(sample: string): Promise<History | null>;
  /** Whether a reload keeps anything. */
  readonly lasting: boolean;
}

interface Schema extends DBSchema {
  kept: { key: [string, string]; value: Omit<Kept, 'base'> };
  bases: { key: [string, string]; value: { sample: string; tab: string; base: Doc } };
  history: { key: string; value: { sample: string; at: number; history: History } };
}
const MOST_HISTORIES = 500;

export async function openStorage(): Promise<Storage> {
  try {
    const database = await openDB<Schema>('sandglass-annotation', 1, {
      upgrade(made) {
        made.createObjectStore('kept', { keyPath: ['sample', 'tab'] });
        made.createObjectStore('bases', { keyPath: ['sample', 'tab'] });
        made.createObjectStore('history', { keyPath: 'sample' });
      },
    });
    return new BrowserStorage(database);
  } catch {
    return new MemoryStorage(); // the browser forbids it (private mode); the page says so
  }
}

class BrowserStorage implements Storage {
  readonly lasting = true;
  /** States that are written already: a page of 1,000 boxes is not copied again for every edit of one. */
  private readonly written = new Map<string, Doc>();
  constructor(private readonly database: IDBPDatabase<Schema>) {}
  async put({ base, ...kept }: Kept) {
    const name = `${kept.sample} ${kept.tab}`;
    const fresh = this.written.get(name) !== base;
    // In one transaction: edits are never kept beside a state that they were not made on.
    const transaction = this.database.transaction(['kept', 'bases'], 'readwrite');
    if (fresh) void transaction.objectStore('bases').put({ sample: kept.sample, tab: kept.tab, base });
    void transaction.objectStore('kept').put(kept);
    await transaction.done;
    this.written.set(name, base);
  }
  async remove(sample: string, tab: string) {
    const transaction = this.database.transaction(['kept', 'bases'], 'readwrite');
    void transaction.objectStore('kept').delete([sample, tab]);
    void transaction.objectStore('bases').delete([sample, tab]);
    await transaction.done;
    this.written.delete(`${sample} ${tab}`);
  }
  async all() {
    const [kept, bases] = await Promise.all([this.database.getAll('kept'), this.database.getAll('bases')]);
    const found = new Map(bases.map((item) => [`${item.sample} ${item.tab}`, item.base]));
    return kept.flatMap((item): Kept[] => {
      const base = found.get(`${item.sample} ${item.tab}`);
      return base ? [{ ...item, base }] : [];
    });
  }
  async putHistory(sample: string, history: History) {
    await this.database.put('history', { sample, at: Date.now(), history });
    const keys = await this.database.getAllKeys('history');
    if (keys.length <= MOST_HISTORIES) return;
    const oldest = (await this.database.getAll('history')).sort((one, other) => one.at - other.at).slice(0, keys.length - MOST_HISTORIES);
    for (const { sample: name } of oldest) await this.database.delete('history', name);
  }
  async history(sample: string) {
    return (await this.database.get('history', sample))?.history ?? null;
  }
}

export class MemoryStorage implements Storage {
  readonly lasting: boolean = false;
  private readonly kept = new Map<string, Kept>();
  private readonly histories = new Map<string, History>();
  async put(kept: Kept) {
    this.kept.set(`${kept.sample} ${kept.tab}`, structuredClone(kept));
  }
  async remove(sample: string, tab: string) {
    this.kept.delete(`${sample} ${tab}`);
  }
  async all() {
    return [...this.kept.values()].map((kept) => structuredClone(kept));
  }
  async putHistory(sample: string, history: History) {
    this.histories.set(sample, history);
  }
  async history(sample: string) {
    return this.histories.get(sample) ?? null;
  }
}
