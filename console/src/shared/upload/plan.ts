/** What to send in which request: many small files together, a large one in parts. Knows nothing of the network. */

export type Picked = { path: string; file: File };
export type Sent = { path: string; size: number; received: number; modified: number };

export type FileStatus = 'waiting' | 'sending' | 'done' | 'present' | 'failed';
export type FileState = {
  path: string;
  file: File;
  status: FileStatus;
  /** Bytes that the server has. */
  received: number;
  problem?: string;
};

export type Job = { kind: 'batch'; files: FileState[] } | { kind: 'part'; file: FileState; offset: number; end: number };

export const BATCH_BYTES = 4 * 1024 ** 2;
export const BATCH_FILES = 40;

/** Files of a choice with what the server has already: a whole file of the same name, size and time is not sent again. */
export function fileStates(picked: Picked[], sent: Sent[]): FileState[] {
  const known = new Map(sent.map((file) => [file.path, file]));
  const seen = new Set<string>();
  return picked
    .filter(({ path }) => !seen.has(path) && seen.add(path))
    .map(({ path, file }) => {
      const there = known.get(path);
      const same = there !== undefined && there.size === file.size && there.modified === file.lastModified;
      if (same && there.received === there.size) return { path, file, status: 'present', received: file.size };
      return { path, file, status: 'waiting', received: same ? there.received : 0 };
    });
}

/** The next request, or null when nothing waits. Its files are marked as being sent. */
export function nextJob(files: FileState[], partBytes: number): Job | null {
  const first = files.find((file) => file.status === 'waiting');
  if (!first) return null;
  if (first.file.size > BATCH_BYTES || first.received > 0) {
    first.status = 'sending';
    return { kind: 'part', file: first, offset: first.received, end: Math.min(first.file.size, first.received + partBytes) };
  }
  const batch: FileState[] = [];
  let bytes = 0;
  for (const file of files) {
    if (file.status !== 'waiting' || file.file.size > BATCH_BYTES || file.received > 0) continue;
    if (batch.length > 0 && (bytes + file.file.size > BATCH_BYTES || batch.length >= BATCH_FILES)) break;
    file.status = 'sending';
    batch.push(file);
    bytes += file.file.size;
  }
  return { kind: 'batch', files: batch };
}

export type Totals = {
  files: number;
  done: number;
  failed: number;
  bytes: number;
  sent: number;
  over: boolean;
};

export function totals(files: FileState[]): Totals {
  const all: Totals = { files: files.length, done: 0, failed: 0, bytes: 0, sent: 0, over: true };
  for (const file of files) {
    all.bytes += file.file.size;
    all.sent += file.received;
    if (file.status === 'done' || file.status === 'present') all.done += 1;
    else if (file.status === 'failed') all.failed += 1;
    else all.over = false;
  }
  return all;
}

/** Seconds to wait before the n-th attempt after a lost connection: 1, 2, 4 … 30. */
export const backoff = (attempt: number) => Math.min(30, 2 ** attempt);

/** A name that may be sent: relative, with forward slashes; hidden files stay behind. */
export function sendable(path: string): boolean {
  const parts = path.split('/').filter(Boolean);
  return parts.length > 0 && parts.every((part) => !part.startsWith('.')) && !parts.some((part) => part === '__MACOSX');
}
