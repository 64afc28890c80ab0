/** One sample's way to the server: edits go out in order, one request at a time, and somebody else's work is merged in. */
import { ApiError, type Schemas } from '../../../shared/api/client';
import { uuid } from '../../../shared/annotation/ids';
import { fromSample, type Doc } from '../../../shared/annotation/document';
import { apply, decide, diff, isEmpty, merge, same, type Choice, type Conflict, type Patch } from '../../../shared/annotation/patch';
import type { Kept, Operation, Storage } from './storage';

export type Sample = Schemas['SampleView'];
/** What a request came to: stored, or somebody else was faster. */
export type Answer = { sample: Sample } | { current: Sample; applied: readonly string[] };
export type Send = (operations: readonly Operation[], revision: number, kind: Doc['kind']) => Promise<Answer>;
export type Status = 'saved' | 'waiting' | 'saving' | 'offline' | 'conflict' | 'refused' | 'full';

const MOST_OPERATIONS = 50;
const GATHER_MS = 300;
const LONGEST_PAUSE = 30_000;
const ID_LENGTH = 13;

export class SampleSync {
  status: Status = 'saved';
  error: ApiError | null = null;
  conflicts: Conflict[] = [];
  private pending: Operation[] = [];
  private inFlight: readonly Operation[] | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = 1000;
  private theirs: Sample | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    readonly dataset: string,
    readonly sample: string,
    readonly kind: Doc['kind'],
    private readonly tab: string,
    private readonly storage: Storage,
    private readonly send: Send,
    private base: Doc,
    private revision: number,
    /** Status or document changed by something else than an edit of this page. */
    private readonly changed: (sync: SampleSync) => void,
  ) {}

  /** Take up what a tab that is gone has left. */
  static adopt(kept: Kept, tab: string, storage: Storage, send: Send, changed: (sync: SampleSync) => void): SampleSync {
    const sync = new SampleSync(kept.dataset, kept.sample, kept.kind, tab, storage, send, kept.base, kept.revision, changed);
    sync.pending = [...kept.operations];
    sync.set('waiting');
    void sync.keep().then(() => storage.remove(kept.sample, kept.tab));
    sync.soon(0);
    return sync;
  }

  /** The sample as this person sees it: the server's state with their edits. */
  get local(): Doc {
    return this.pending.reduce((doc, operation) => apply(doc, operation.patch), this.base);
  }
  get waiting(): number {
    return this.pending.length;
  }

  /** The state that the server tells now; edits that it does not have are kept. */
  load(sample: Sample): void {
    if (this.pending.length > 0 || sample.revision < this.revision) return;
    this.base = fromSample(this.kind, sample);
    this.revision = sample.revision;
  }

  edit(patch: Patch, create: readonly string[] = []): void {
    this.pending.push({ id: uuid(), patch, create });
    if (this.status === 'saved') this.set('waiting');
    else this.changed(this);
    void this.keep();
    if (this.status === 'waiting') this.soon(this.pending.length >= MOST_OPERATIONS ? 0 : GATHER_MS);
  }

  /** Send now, for instance because the network is back. */
  now(): void {
    this.pause = 1000;
    if (this.pending.length && !['conflict', 'refused', 'full'].includes(this.status)) this.soon(0);
  }

  /** Decide what two people changed differently. */
  resolve(choices: Record<string, Choice>): void {
    if (this.status !== 'conflict' || !this.theirs) return;
    const theirs = fromSample(this.kind, this.theirs);
    const { merged, conflicts } = merge(this.base, this.local, theirs);
    const open = conflicts.filter((conflict) => !choices[conflict.name]);
    if (open.length) {
      this.conflicts = conflicts;
      this.changed(this);
      return;
    }
    this.rebase(theirs, decide(merged, conflicts, choices, () => `b${uuid().replaceAll('-', '').slice(0, ID_LENGTH - 1)}`));
  }

  /** Give up the edits that the server refuses; the sample is as the server has it. */
  discard(sample: Sample): void {
    this.pending = [];
    this.inFlight = null;
    this.error = null;
    this.base = fromSample(this.kind, sample);
    this.revision = sample.revision;
    void this.keep();
    this.set('saved');
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  /** Settles when everything so far is written on this machine. */
  settled(): Promise<void> {
    return this.writing;
  }

  private set(status: Status): void {
    this.status = status;
    this.changed(this);
  }

  private soon(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), milliseconds);
  }

  private keep(): Promise<void> {
    const kept: Kept = {
      sample: this.sample, dataset: this.dataset, kind: this.kind, tab: this.tab, revision: this.revision, base: this.base, operations: [...this.pending],
    };
    this.writing = this.writing
      .then(() => (kept.operations.length ? this.storage.put(kept) : this.storage.remove(this.sample, this.tab)))
      .catch(() => this.set('full'));
    return this.writing;
  }

  private async flush(): Promise<void> {
    if (this.inFlight || this.pending.length === 0 || ['conflict', 'refused', 'full'].includes(this.status)) return;
    const batch = this.pending.slice(0, MOST_OPERATIONS);
    this.inFlight = batch;
    // First here, then there: an edit is never only on its way.
    await this.keep();
    if (this.status !== 'offline') this.set('saving');
    try {
      const answer = await this.send(batch, this.revision, this.kind);
      this.inFlight = null;
      this.pause = 1000;
      if ('sample' in answer) this.stored(answer.sample, batch);
      else this.overtaken(answer.current, new Set(answer.applied));
    } catch (error) {
      this.inFlight = null;
      this.failed(error);
    }
  }

  private stored(sample: Sample, batch: readonly Operation[]): void {
    const done = new Set(batch.map((operation) => operation.id));
    this.pending = this.pending.filter((operation) => !done.has(operation.id));
    // Where the server has just what was sent, the boxes stay the same values: nothing is drawn or compared anew.
    const expected = batch.reduce((doc, operation) => apply(doc, operation.patch), this.base);
    const told = fromSample(this.kind, sample);
    this.base = same(expected, told) ? expected : told;
    this.revision = sample.revision;
    void this.keep();
    this.error = null;
    this.set(this.pending.length ? 'waiting' : 'saved');
    if (this.pending.length) this.soon(0);
  }

  private overtaken(current: Sample, applied: ReadonlySet<string>): void {
    for (const operation of this.pending) if (applied.has(operation.id)) this.base = apply(this.base, operation.patch);
    this.pending = this.pending.filter((operation) => !applied.has(operation.id));
    const theirs = fromSample(this.kind, current);
    const { merged, conflicts } = merge(this.base, this.local, theirs);
    this.theirs = current;
    if (conflicts.length) {
      this.conflicts = conflicts;
      this.set('conflict');
      return;
    }
    this.rebase(theirs, merged);
  }

  /** Go on from their state with what is left of mine. */
  private rebase(theirs: Doc, wanted: Doc): void {
    const patch = diff(theirs, wanted);
    const create = [...new Set(this.pending.flatMap((operation) => operation.create))];
    this.pending = isEmpty(patch) ? [] : [{ id: uuid(), patch, create }];
    this.base = theirs;
    this.revision = this.theirs!.revision;
    this.theirs = null;
    this.conflicts = [];
    void this.keep();
    this.set(this.pending.length ? 'waiting' : 'saved');
    if (this.pending.length) this.soon(0);
  }

  private failed(error: unknown): void {
    const told = error instanceof ApiError ? error : new ApiError(0, 'no_connection', '', null, {});
    this.error = told;
    // What the server refuses is refused again; a lost connection, its own failures and an expired sign-in pass.
    if (told.status >= 400 && told.status < 500 && ![401, 408, 429].includes(told.status)) {
      this.set('refused');
      return;
    }
    this.set('offline');
    this.soon(this.pause + Math.random() * 0.2 * this.pause);
    this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
  }

  /** Whether the page shows something else than what is stored and waiting. */
  differs(doc: Doc): boolean {
    return !same(doc, this.local);
  }
}
