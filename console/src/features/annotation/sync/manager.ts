/** All samples with edits on their way, and how they stand together. One for the whole console. */
import { useSyncExternalStore } from 'react';
import { fromSample, type Doc } from '../../../shared/annotation/document';
import type { History } from '../../../shared/annotation/workspace';
import { SampleSync, type Sample, type Status } from './sampleSync';
import { MemoryStorage, openStorage, type Storage } from './storage';
import { announce, openTabs, tab } from './tabs';
import { sender } from './transport';

export type Overview = { status: Status; waiting: number; samples: number; lasting: boolean };

export class SyncManager {
  private readonly syncs = new Map<string, SampleSync>();
  private readonly listeners = new Set<() => void>();
  private storage: Storage = new MemoryStorage();
  private ready: Promise<void> | null = null;
  overview: Overview = { status: 'saved', waiting: 0, samples: 0, lasting: true };

  /** Open what is kept on this machine, and take up what closed tabs have left. */
  start(): Promise<void> {
    this.ready ??= this.open();
    return this.ready;
  }

  private async open(): Promise<void> {
    announce();
    this.storage = await openStorage();
    window.addEventListener('online', () => this.now());
    const [kept, tabs] = await Promise.all([this.storage.all(), openTabs()]);
    for (const item of kept)
      if (!tabs.has(item.tab) && !this.syncs.has(item.sample))
        this.syncs.set(item.sample, SampleSync.adopt(item, tab, this.storage, sender(item.dataset, item.sample), this.changed));
    this.changed();
  }

  /** The sample's way to the server; made when there is none. */
  of(dataset: string, kind: Doc['kind'], sample: Sample): SampleSync {
    const known = this.syncs.get(sample.id);
    if (known) {
      known.load(sample);
      return known;
    }
    const made = new SampleSync(dataset, sample.id, kind, tab, this.storage, sender(dataset, sample.id), fromSample(kind, sample), sample.revision, this.changed);
    this.syncs.set(sample.id, made);
    return made;
  }

  now(): void {
    for (const sync of this.syncs.values()) sync.now();
  }

  history(sample: string): Promise<History | null> {
    return this.storage.history(sample).catch(() => null);
  }
  putHistory(sample: string, history: History): void {
    void this.storage.putHistory(sample, history).catch(() => undefined); // undo is a convenience; the edits are kept apart
  }

  /** Everything that is waiting, to be saved as a file when this machine has no room. */
  async waitingAsJson(): Promise<string> {
    return JSON.stringify(await this.storage.all(), null, 1);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed = (): void => {
    const active = [...this.syncs.values()].filter((sync) => sync.status !== 'saved');
    const worst = (['full', 'refused', 'conflict', 'offline', 'saving', 'waiting'] as const).find((status) => active.some((sync) => sync.status === status));
    this.overview = {
      status: worst ?? 'saved',
      waiting: active.reduce((sum, sync) => sum + sync.waiting, 0),
      samples: active.length,
      lasting: this.storage.lasting,
    };
    for (const listener of this.listeners) listener();
  };
}

export const manager = new SyncManager();
export const useOverview = () => useSyncExternalStore(manager.subscribe, () => manager.overview);
