import { expect, test } from 'vitest';
import { backoff, BATCH_FILES, fileStates, nextJob, sendable, totals } from './plan';

const file = (size: number, modified = 1000) => ({ size, lastModified: modified }) as File;
const states = (...sizes: number[]) => fileStates(sizes.map((size, index) => ({ path: `${index}.png`, file: file(size) })), []);

test('small files go together, a large one in parts', () => {
  const files = states(1000, 2000, 20_000_000, 3000);
  const first = nextJob(files, 8_000_000);
  expect(first?.kind === 'batch' && first.files.map((item) => item.path)).toEqual(['0.png', '1.png', '3.png']);
  expect(nextJob(files, 8_000_000)).toMatchObject({ kind: 'part', offset: 0, end: 8_000_000 });
  expect(nextJob(files, 8_000_000)).toBeNull();
  files[2]!.received = 16_000_000;
  files[2]!.status = 'waiting';
  expect(nextJob(files, 8_000_000)).toMatchObject({ kind: 'part', offset: 16_000_000, end: 20_000_000 });
});

test('a request holds a bounded number of files and bytes', () => {
  const many = states(...Array.from({ length: 100 }, () => 10));
  const first = nextJob(many, 1);
  expect(first?.kind === 'batch' && first.files.length).toBe(BATCH_FILES);
  const big = states(3_000_000, 3_000_000);
  expect(nextJob(big, 1)).toMatchObject({ kind: 'batch', files: [{ path: '0.png' }] });
});

test('what is there already is not sent again, a part goes on, another file of the same name begins anew', () => {
  const picked = ['whole', 'part', 'other'].map((path) => ({ path, file: file(100) }));
  const sent = [
    { path: 'whole', size: 100, received: 100, modified: 1000 },
    { path: 'part', size: 100, received: 40, modified: 1000 },
    { path: 'other', size: 100, received: 100, modified: 2000 },
  ];
  expect(fileStates(picked, sent).map(({ status, received }) => [status, received])).toEqual([
    ['present', 100],
    ['waiting', 40],
    ['waiting', 0],
  ]);
});

test('a name that is chosen twice counts once', () => {
  expect(fileStates([{ path: 'a', file: file(1) }, { path: 'a', file: file(1) }], [])).toHaveLength(1);
});

test('totals say when all is over, also with failures', () => {
  const files = states(10, 20, 30);
  expect(totals(files)).toMatchObject({ files: 3, bytes: 60, sent: 0, over: false });
  Object.assign(files[0]!, { status: 'done', received: 10 });
  Object.assign(files[1]!, { status: 'present', received: 20 });
  Object.assign(files[2]!, { status: 'failed' });
  expect(totals(files)).toMatchObject({ done: 2, failed: 1, sent: 30, over: true });
});

test('attempts wait longer and longer, never more than half a minute', () => {
  expect([0, 1, 2, 3, 9].map(backoff)).toEqual([1, 2, 4, 8, 30]);
});

test('hidden files stay behind', () => {
  expect(['a/b.png', '.DS_Store', 'a/.b', '__MACOSX/a', ''].filter(sendable)).toEqual(['a/b.png']);
});
