import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '../api/client';

export const balanceQuery = () =>
  queryOptions({ queryKey: ['balance'], queryFn: () => unwrap(api.GET('/v1/account/balance')), refetchInterval: 15_000 });

/** What starting something would freeze. */
export const quoteQuery = (spec: string, count: number) =>
  queryOptions({
    queryKey: ['quote', spec, count],
    queryFn: () => unwrap(api.GET('/v1/quote', { params: { query: { spec, count } } })),
    enabled: spec !== '',
  });
