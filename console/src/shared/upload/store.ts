/** Uploads that go on while the person moves about: one per dataset, kept outside of any page. */
import { useSyncExternalStore } from 'react';
import { api, ApiError, unwrap } from '../api/client';
import { backoff, fileStates, nextJob, sendable, totals, type FileState, type Job, type Picked, type Totals } from './plan';

const AT_ONCE = 3;
const KEY = 'sandglass.uploads';

export type UploadState = {
  dataset: string;
  /** Id on the server, once it has one. */
  id: string | null;
  files: FileState[];
  totals: Totals;
  /** Seconds until the next attempt while there is no connection. */
  offline: boolean;
  problem: string | null;
};

type Upload = UploadState & {
  running: number;
  partBytes: number;
  attempt: number;
  stopped: AbortController;
  opening: Promise<void> | null;
};

const uploads = new Map<string, Upload>();
const listeners = new Set<() => void>();
let shown: readonly UploadState[] = [];
let queued = false;

function changed(): void {
  if (queued) return;
  queued = true;
  // Thousands of small files finish within a second; the page is told a few times a second.
  setTimeout(() => {
    queued = false;
    shown = [...uploads.values()].map((upload) => ({ ...upload, files: upload.files, totals: totals(upload.files) }));
    for (const listener of listeners) listener();
  }, 100);
}

function kept(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

function keep(dataset: string, id: string | null): void {
  const all = kept();
  if (id) all[dataset] = id;
  else delete all[dataset];
  localStorage.setItem(KEY, JSON.stringify(all));
}

/** Begin to send files for a dataset, or add some to what is being sent. */
export async function startUpload(dataset: string, picked: Picked[]): Promise<void> {
  const wanted = picked.filter(({ path }) => sendable(path));
  let upload = uploads.get(dataset);
  if (!upload) {
    upload = {
      dataset,
      id: null,
      files: [],
      totals: totals([]),
      offline: false,
      problem: null,
      running: 0,
      partBytes: 8 * 1024 ** 2,
      attempt: 0,
      stopped: new AbortController(),
      opening: null,
    };
    uploads.set(dataset, upload);
  }
  upload.problem = null;
  const known = new Set(upload.files.map((file) => file.path));
  upload.files.push(...fileStates(wanted.filter(({ path }) => !known.has(path)), []));
  changed();
  try {
    await (upload.opening ??= open(upload));
  } catch (error) {
    upload.opening = null;
    upload.problem = error instanceof ApiError ? error.message || error.code : String(error);
    changed();
    return;
  }
  pump(upload);
}

/** Find the upload that was left before a reload, or make one. */
async function open(upload: Upload): Promise<void> {
  if (upload.id) return;
  const before = kept()[upload.dataset];
  if (before) {
    const found = await unwrap(api.GET('/v1/uploads/{upload}', { params: { path: { upload: before } } })).catch(
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      },
    );
    if (found) {
      upload.id = found.id;
      upload.partBytes = found.part_bytes;
      const picked = upload.files.map(({ path, file }) => ({ path, file }));
      upload.files.splice(0, upload.files.length, ...fileStates(picked, found.files));
      return;
    }
  }
  const made = await unwrap(api.POST('/v1/uploads'));
  upload.id = made.id;
  upload.partBytes = made.part_bytes;
  keep(upload.dataset, made.id);
}

function pump(upload: Upload): void {
  while (upload.running < AT_ONCE && !upload.offline && !upload.stopped.signal.aborted) {
    const job = nextJob(upload.files, upload.partBytes);
    if (!job) break;
    upload.running += 1;
    void send(upload, job).finally(() => {
      upload.running -= 1;
      pump(upload);
    });
  }
  changed();
}

async function send(upload: Upload, job: Job): Promise<void> {
  const files = job.kind === 'batch' ? job.files : [job.file];
  try {
    if (job.kind === 'batch') await sendBatch(upload, job.files);
    else await sendPart(upload, job.file, job.offset, job.end);
    upload.attempt = 0;
  } catch (error) {
    if (upload.stopped.signal.aborted) return;
    if (error instanceof ApiError && error.status === 0) {
      for (const file of files) if (file.status === 'sending') file.status = 'waiting';
      wait(upload);
      return;
    }
    const received = error instanceof ApiError && error.code === 'upload_offset' ? Number(error.details.received) : NaN;
    for (const file of files) {
      if (file.status !== 'sending') continue;
      // The server has other bytes than we thought (an answer got lost): go on from where it is.
      if (Number.isFinite(received)) {
        file.received = received;
        file.status = 'waiting';
      } else {
        file.status = 'failed';
        file.problem = error instanceof ApiError ? error.message || error.code : String(error);
      }
    }
  }
  changed();
}

/** No connection: nothing is lost, it goes on by itself. */
function wait(upload: Upload): void {
  if (upload.offline) return;
  upload.offline = true;
  setTimeout(() => {
    upload.offline = false;
    pump(upload);
  }, backoff(upload.attempt++) * 1000);
}

async function sendBatch(upload: Upload, files: FileState[]): Promise<void> {
  const form = new FormData();
  form.append('modified', JSON.stringify(Object.fromEntries(files.map(({ path, file }) => [path, file.lastModified]))));
  for (const { path, file } of files) form.append('files', file, path);
  await unwrap(
    api.POST('/v1/uploads/{upload}/files', {
      params: { path: { upload: upload.id! } },
      body: form as never,
      bodySerializer: (body: unknown) => body as FormData,
      signal: upload.stopped.signal,
    }),
  );
  for (const file of files) {
    file.status = 'done';
    file.received = file.file.size;
  }
}

async function sendPart(upload: Upload, state: FileState, offset: number, end: number): Promise<void> {
  const query = { path: state.path, size: state.file.size, offset, modified: state.file.lastModified };
  const got = await unwrap(
    api.PUT('/v1/uploads/{upload}/files', {
      params: { path: { upload: upload.id! }, query },
      body: state.file.slice(offset, end) as never,
      bodySerializer: (body: unknown) => body as Blob,
      headers: { 'Content-Type': 'application/octet-stream' },
      signal: upload.stopped.signal,
    }),
  );
  state.received = got.received;
  state.status = got.received >= got.size ? 'done' : 'waiting';
}

export function retryFailed(dataset: string): void {
  const upload = uploads.get(dataset);
  if (!upload) return;
  for (const file of upload.files) if (file.status === 'failed') file.status = 'waiting';
  void startUpload(dataset, []);
}

/** Give one file up. */
export function dropFile(dataset: string, path: string): void {
  const upload = uploads.get(dataset);
  if (!upload) return;
  const place = upload.files.findIndex((file) => file.path === path);
  if (place >= 0) upload.files.splice(place, 1);
  if (upload.id) void api.DELETE('/v1/uploads/{upload}/files', { params: { path: { upload: upload.id }, query: { path } } });
  changed();
}

/** Give all of it up; what has arrived is removed. */
export async function cancelUpload(dataset: string): Promise<void> {
  const upload = uploads.get(dataset);
  const id = upload?.id ?? kept()[dataset];
  forgetUpload(dataset);
  if (id) await api.DELETE('/v1/uploads/{upload}', { params: { path: { upload: id } } });
}

/** An import has taken the files. */
export function forgetUpload(dataset: string): void {
  uploads.get(dataset)?.stopped.abort();
  uploads.delete(dataset);
  keep(dataset, null);
  changed();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useUploads = () => useSyncExternalStore(subscribe, () => shown);
export const useUpload = (dataset: string) => useUploads().find((upload) => upload.dataset === dataset);

window.addEventListener('beforeunload', (event) => {
  if ([...uploads.values()].some((upload) => !totals(upload.files).over)) event.preventDefault();
});
