import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type ProblemDetail = Schemas['ProblemDetail'];

/** What a refused or failed request says: the server's sentence, what to do, and a code to copy. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly action: string | null,
    readonly fields: Record<string, string>,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

let language = 'zh-CN';

/** Language in which the server answers from now on. */
export function setApiLanguage(next: string): void {
  language = next;
}

export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use({
  onRequest({ request }) {
    request.headers.set('Accept-Language', language);
    return request;
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer; throws ApiError for anything else, also when there is no connection. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'no_connection', '', null, {});
  }
  if (got.response.ok) return got.data as T;
  throw toError(got.response.status, got.error);
}

/** An ApiError from a status and a problem detail, or from whatever a proxy sent instead. */
export function toError(status: number, body: unknown): ApiError {
  const detail = (typeof body === 'object' && body !== null ? body : {}) as Partial<ProblemDetail>;
  const fields = Object.fromEntries((detail.errors ?? []).map((item) => [item.field, item.message]));
  if (detail.field && detail.detail && !fields[detail.field]) fields[detail.field] = detail.detail;
  return new ApiError(status, detail.code ?? `http_${status}`, detail.detail ?? '', detail.action ?? null, fields, detail.details ?? {});
}

/** Send a form with files; progress is the share 0..1 that has left this machine. */
export function upload<T>(
  path: string,
  body: FormData,
  options: { onProgress?: (share: number) => void; signal?: AbortSignal } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Accept-Language', language);
    request.responseType = 'json';
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) options.onProgress?.(event.loaded / event.total);
    };
    request.onload = () =>
      request.status < 300 ? resolve(request.response as T) : reject(toError(request.status, request.response));
    request.onerror = () => reject(new ApiError(0, 'no_connection', '', null, {}));
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    options.signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}
