import { api, toError, ApiError, type Schemas } from '../../../shared/api/client';
import { toOperation } from '../../../shared/annotation/patch';
import type { Send } from './sampleSync';
import { tab } from './tabs';

/** Sends edits of one sample; a 412 is an answer, everything else that is no success is thrown. */
export const sender =
  (dataset: string, sample: string): Send =>
  async (operations, revision, kind) => {
    let got;
    try {
      got = await api.PATCH('/v1/datasets/{dataset}/samples/{sample}/annotation', {
        params: { path: { dataset, sample }, header: { 'If-Match': `"${revision}"` } },
        body: {
          operations: operations.map((operation) => toOperation(kind, operation.id, operation.patch)),
          create: [...new Set(operations.flatMap((operation) => operation.create))],
          writer: tab.slice(0, 8),
        },
      });
    } catch {
      throw new ApiError(0, 'no_connection', '', null, {});
    }
    if (got.data) return { sample: got.data as unknown as Schemas['SampleView'] };
    if (got.response.status === 412) {
      const problem = got.error as unknown as Schemas['ChangedProblem'];
      return { current: problem.current, applied: problem.applied };
    }
    throw toError(got.response.status, got.error);
  };
