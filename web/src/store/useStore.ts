import { useQuery } from '@tanstack/react-query';

import { get } from '../api/client';
import { newer } from '../live/cache';
import { settled } from './resourcesOf';
import type { Entry, Evidence, Page, Resource, Revision, Store } from '../api/types';

const of = (id: string) => `/stores/${encodeURIComponent(id)}`;

export const useStore = (id: string) =>
  useQuery({
    queryKey: ['store', id],
    queryFn: async ({ client }) => {
      const told = await get<Store>(of(id));
      // The answer may be older than what the stream has said meanwhile.
      const known = client.getQueryData<Store>(['store', id]);
      return known ? newer(known, told) : told;
    },
  });

/** Read every page of a list that is never long. */
async function all<Item>(path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<Item> = await get<Page<Item>>(`${path}?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

const UNSETTLED = 5_000; // ms

export const useEvents = (id: string) => useQuery({ queryKey: ['events', id], queryFn: () => all<Entry>(`${of(id)}/events`) });

/** What Kubernetes itself tells of objects does not come by the stream: it is read when it is looked at, and while much happens. */
export const useResources = (store: Store) =>
  useQuery({
    queryKey: ['resources', store.id],
    queryFn: () => all<Resource>(`${of(store.id)}/resources`),
    refetchOnMount: 'always',
    refetchInterval: ({ state }) => (settled(store, state.data ?? []) ? false : UNSETTLED),
  });

export const useRevisions = (id: string) => useQuery({ queryKey: ['revisions', id], queryFn: () => all<Revision>(`${of(id)}/revisions`) });

export const useEvidence = (id: string, revision: number, enabled = true) =>
  useQuery({ queryKey: ['evidence', id, revision], enabled, queryFn: () => get<Evidence>(`${of(id)}/revisions/${revision}/evidence`) });
