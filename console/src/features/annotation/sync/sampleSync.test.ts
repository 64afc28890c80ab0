import 'fake-indexeddb/auto';
import { expect, test, vi } from 'vitest';
import { addItems } from '../../../shared/annotation/commands';
import { blank, emptyDoc, fromSample, toAnnotation, type Doc } from '../../../shared/annotation/document';
import { apply, diff, type Patch } from '../../../shared/annotation/patch';
import { setText } from '../../../shared/annotation/text';
import { ApiError } from '../../../shared/api/client';
import { SampleSync, type Sample, type Send } from './sampleSync';
import { openStorage, type Storage } from './storage';

const box = (id: string, text: string) => blank(id, [[0, 0], [10, 0], [10, 10], [0, 10]], { text });
const START: Doc = addItems([box('a', 'a'), box('b', 'b')])(emptyDoc('document'));

/** A server of one sample that behaves as the real one: revisions, known operations, refusals. */
class FakeServer {
  doc = START;
  revision = 1;
  known = new Set<string>();
  down = false;
  loseAnswer = false;
  refuse: ApiError | null = null;
  requests = 0;
  sample = (): Sample => ({ id: 's', revision: this.revision, annotation: toAnnotation(this.doc), suggested: {}, state: this.doc.state, part: null }) as unknown as Sample;
  edit(patch: Patch) {
    this.doc = apply(this.doc, patch);
    this.revision += 1;
  }
  send: Send = async (operations, revision) => {
    this.requests += 1;
    if (this.down) throw new ApiError(0, 'no_connection', '', null, {});
    if (this.refuse) throw this.refuse;
    const rest = operations.filter((operation) => !this.known.has(operation.id));
    if (rest.length && revision !== this.revision) return { current: this.sample(), applied: operations.filter((operation) => this.known.has(operation.id)).map((operation) => operation.id) };
    for (const operation of rest) {
      this.known.add(operation.id);
      this.edit(operation.patch);
    }
    if (this.loseAnswer) {
      this.loseAnswer = false;
      throw new ApiError(0, 'no_connection', '', null, {});
    }
    return { sample: this.sample() };
  };
}

let count = 0;
async function setUp(server = new FakeServer(), storage?: Storage) {
  const kept = storage ?? (await openStorage());
  const sample = `s${(count += 1)}`;
  const sync = new SampleSync('d', sample, 'document', 'tab', kept, server.send, fromSample('document', server.sample()), server.revision, () => undefined);
  const edit = (text: string, id = 'a') => sync.edit(diff(sync.local, setText(id, text)(sync.local)));
  const until = (status: string) => vi.waitFor(() => expect(sync.status).toBe(status), { timeout: 4000 });
  return { server, sync, edit, until, storage: kept, sample };
}

test('edits are gathered, sent in order and then forgotten here', async () => {
  const { server, sync, edit, until, storage, sample } = await setUp();
  edit('one');
  edit('two');
  edit('three', 'b');
  expect(sync.waiting).toBe(3);
  await until('saved');
  expect(server.requests).toBe(1);
  expect([server.doc.items.a!.text, server.doc.items.b!.text]).toEqual(['two', 'three']);
  await sync.settled();
  expect((await storage.all()).filter((kept) => kept.sample === sample)).toEqual([]);
});

test('without a network edits wait on this machine and go out later', async () => {
  const { server, sync, edit, until, storage, sample } = await setUp();
  server.down = true;
  edit('offline');
  await until('offline');
  edit('more', 'b');
  expect(sync.local.items.b!.text).toBe('more');
  await sync.settled();
  const [kept] = (await storage.all()).filter((item) => item.sample === sample);
  expect(kept!.operations).toHaveLength(2);
  server.down = false;
  sync.now();
  await until('saved');
  expect([server.doc.items.a!.text, server.doc.items.b!.text]).toEqual(['offline', 'more']);
});

test('what a closed tab has left is taken up by another one', async () => {
  const first = await setUp();
  first.server.down = true;
  first.edit('left');
  await first.until('offline');
  await first.sync.settled();
  first.sync.dispose();
  const [kept] = (await first.storage.all()).filter((item) => item.sample === first.sample);
  first.server.down = false;
  first.server.edit(diff(first.server.doc, setText('b', 'theirs')(first.server.doc)));
  const adopted = SampleSync.adopt(kept!, 'other', first.storage, first.server.send, () => undefined);
  await vi.waitFor(() => expect(adopted.status).toBe('saved'), { timeout: 4000 });
  expect([first.server.doc.items.a!.text, first.server.doc.items.b!.text]).toEqual(['left', 'theirs']);
  expect(adopted.local.items.b!.text).toBe('theirs');
});

test('an answer that is lost makes no edit happen twice, and none collide with itself', async () => {
  const { server, sync, edit, until } = await setUp();
  server.loseAnswer = true;
  edit('once');
  await until('offline');
  edit('again');
  sync.now();
  await until('saved');
  expect(server.doc.items.a!.text).toBe('again');
  expect(sync.conflicts).toEqual([]);
  expect(server.known.size).toBeGreaterThanOrEqual(2);
});

test("somebody else's work is merged, box by box", async () => {
  const { server, sync, edit, until } = await setUp();
  server.edit(diff(server.doc, setText('b', 'theirs')(server.doc)));
  edit('mine');
  await until('saved');
  expect([server.doc.items.a!.text, server.doc.items.b!.text]).toEqual(['mine', 'theirs']);
  expect(sync.local.items.b!.text).toBe('theirs');
});

test('a box that both changed waits for a decision, and nothing is written before', async () => {
  const { server, sync, edit, until } = await setUp();
  server.edit(diff(server.doc, setText('a', 'theirs')(server.doc)));
  edit('mine');
  await until('conflict');
  expect(sync.conflicts.map((conflict) => conflict.name)).toEqual(['items/a']);
  expect(server.doc.items.a!.text).toBe('theirs');
  edit('meanwhile', 'b');
  sync.resolve({});
  expect(sync.status).toBe('conflict');
  sync.resolve({ 'items/a': 'both' });
  await until('saved');
  expect(Object.values(server.doc.items).map((item) => item.text).sort()).toEqual(['meanwhile', 'mine', 'theirs']);
});

test('what the server refuses stays here until a person gives it up', async () => {
  const { server, sync, edit, until, storage, sample } = await setUp();
  server.refuse = new ApiError(422, 'box_empty', 'Box a covers nothing.', null, {});
  edit('refused');
  await until('refused');
  expect(sync.error!.code).toBe('box_empty');
  await sync.settled();
  expect((await storage.all()).some((kept) => kept.sample === sample)).toBe(true);
  sync.discard(server.sample());
  expect([sync.status, sync.local.items.a!.text]).toEqual(['saved', 'a']);
});

test('a machine without room says so and sends nothing blindly', async () => {
  const full: Storage = { lasting: true, put: () => Promise.reject(new DOMException('no room', 'QuotaExceededError')), remove: async () => undefined, all: async () => [], putHistory: async () => undefined, history: async () => null };
  const { server, edit, until } = await setUp(new FakeServer(), full);
  edit('lost?');
  await until('full');
  expect(server.requests).toBe(0);
});
