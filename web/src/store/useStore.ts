import { useQuery } from '@tanstack/react-query';

import { get } from '../api/client';
import type { Entry, Evidence, Page, Resource, Revision, Store } from '../api/types';

export const useStore = (id: string) => useQuery({ queryKey: ['store', id], queryFn: () => get<Store>(`/stores/${id}`) });

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

export const useEvents = (id: string) => useQuery({ queryKey: ['events', id], queryFn: () => all<Entry>(`/stores/${id}/events`) });

export const useResources = (id: string) => useQuery({ queryKey: ['resources', id], queryFn: () => all<Resource>(`/stores/${id}/resources`) });

export const useRevisions = (id: string) => useQuery({ queryKey: ['revisions', id], queryFn: () => all<Revision>(`/stores/${id}/revisions`) });

export const useEvidence = (id: string, revision: number) =>
  useQuery({ queryKey: ['evidence', id, revision], queryFn: () => get<Evidence>(`/stores/${id}/revisions/${revision}/evidence`) });
