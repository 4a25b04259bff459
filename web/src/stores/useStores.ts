import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';

import { get } from '../api/client';
import type { Page, Store } from '../api/types';
import { newer } from '../live/cache';
import type { Wanted } from './wanted';

const PAGE = 200;

/** A list that nobody sees is kept so long for whoever goes back to it: his place may be far down. */
const KEPT = 30 * 60_000;

export type StoreList = ReturnType<typeof useStores>;

/** The stores that are wanted, page by page; the stream keeps what was read current. */
export function useStores(wanted: Wanted) {
  return useInfiniteQuery({
    queryKey: ['stores', wanted],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    gcTime: KEPT,
    queryFn: async ({ pageParam, client }) => {
      const query = new URLSearchParams({ limit: String(PAGE), sort: wanted.sort });
      if (wanted.q !== '') query.set('q', wanted.q);
      if (wanted.phase !== null) query.set('phase', wanted.phase);
      if (pageParam !== '') query.set('cursor', pageParam);
      const page = await get<Page<Store>>(`/stores?${query.toString()}`);
      // An answer may be older than what the stream has said meanwhile.
      const items = page.items.map((told) => {
        const known = client.getQueryData<Store>(['store', told.id]);
        return known ? newer(known, told) : told;
      });
      return { ...page, items };
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
  });
}
