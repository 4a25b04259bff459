import { type InfiniteData, QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Page, Store } from '../api/types';
import { Again } from './again';
import { take } from './Live';

const LIST = ['stores', { q: '', phase: null, sort: '-createdAt' }];

/** A page that shows who one is, a list and the overview, and counts what it asks the service for. */
async function scene(pages = 1) {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
  const asked: Record<string, number> = {};
  const answer = (name: string, data: unknown, milliseconds = 0) => async () => {
    asked[name] = (asked[name] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return data;
  };
  const items = [{ id: 'known', createdAt: '1', updatedAt: '1', phase: 'Ready' } as Store];
  const listing: InfiniteData<Page<Store>> = { pages: Array.from({ length: pages }, () => ({ items, nextCursor: null })), pageParams: [] };
  const shown = [
    new QueryObserver(client, { queryKey: ['me'], queryFn: answer('me', {}) }),
    new QueryObserver(client, { queryKey: LIST, queryFn: answer('stores', listing, 500) }),
    new QueryObserver(client, { queryKey: ['overview'], queryFn: answer('overview', {}) }),
  ];
  for (const observer of shown) observer.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual({ me: 1, stores: 1, overview: 1 });
  const again = new Again(client);
  return { client, again, asked };
}

const changed = (id: string, at: number) => ({ type: 'store', store: { id, createdAt: String(at), updatedAt: String(at), phase: 'Provisioning' } as Store }) as const;

describe('a burst of events', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('of six hundred in six seconds reads lists again at a pace, the first at once and once after the last', async () => {
    const { client, again, asked } = await scene();
    take(client, again, changed('s-0', 2));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual({ me: 2, stores: 2, overview: 2 });
    for (let i = 1; i < 600; i += 1) {
      await vi.advanceTimersByTimeAsync(10);
      take(client, again, changed(`s-${i}`, 2 + i));
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual({ me: 5, stores: 5, overview: 3 });
    again.stop();
  });

  it('of deletions counts anew at a pace, and takes each store out at once', async () => {
    const { client, again, asked } = await scene();
    for (let i = 0; i < 300; i += 1) take(client, again, { type: 'deleted', id: i === 0 ? 'known' : `s-${i}` });
    expect(client.getQueryData<InfiniteData<Page<Store>>>(LIST)?.pages[0]?.items).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual({ me: 3, stores: 1, overview: 3 });
    again.stop();
  });

  it('gives no reading up that is under way, and reads once more after it', async () => {
    const { client, again, asked } = await scene();
    void client.invalidateQueries({ queryKey: LIST });
    await vi.advanceTimersByTimeAsync(100);
    take(client, again, changed('new', 2));
    await vi.advanceTimersByTimeAsync(500);
    expect(asked['stores']).toBe(2);
    expect(client.getQueryState(LIST)?.fetchStatus).toBe('idle');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked['stores']).toBe(3);
    again.stop();
  });

  it('reads a long list again as rarely as it is long', async () => {
    const { client, again, asked } = await scene(10);
    for (let i = 0; i < 35; i += 1) {
      take(client, again, changed(`s-${i}`, 2 + i));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(asked['stores']).toBe(3);
    again.stop();
  });

  it('about a store that the list knows counts nobody’s stores anew, and leaves the list as it is', async () => {
    const { client, again, asked } = await scene();
    take(client, again, { type: 'store', store: { id: 'known', createdAt: '1', updatedAt: '2', phase: 'Failed' } as Store });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual({ me: 1, stores: 1, overview: 2 });
    expect(client.getQueryData<InfiniteData<Page<Store>>>(LIST)?.pages[0]?.items[0]?.phase).toBe('Failed');
    again.stop();
  });

  it('that moves a store in the list shows the change at once, and reads the list again at a pace', async () => {
    const { client, again, asked } = await scene();
    const byChange = ['stores', { q: '', phase: null, sort: '-updatedAt' }];
    client.setQueryData(byChange, client.getQueryData(LIST));
    let read = 0;
    new QueryObserver(client, { queryKey: byChange, queryFn: () => ((read += 1), client.getQueryData(LIST)) }).subscribe(() => undefined);
    for (let at = 20; at < 30; at += 1) {
      take(client, again, { type: 'store', store: { id: 'known', createdAt: '1', updatedAt: String(at), phase: 'Ready' } as Store });
      expect(client.getQueryData<InfiniteData<Page<Store>>>(byChange)?.pages[0]?.items[0]?.updatedAt).toBe(String(at));
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toBe(2);
    expect(asked['stores']).toBe(1);
    again.stop();
  });

  it('asks for nothing that nobody has read', async () => {
    const { client, again, asked } = await scene();
    again.read(['resources', 'known']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual({ me: 1, stores: 1, overview: 1 });
    expect(client.isFetching()).toBe(0);
    again.stop();
  });
});

describe('a stream that is open again', () => {
  it('makes everything old that events change, and nothing else', () => {
    const client = new QueryClient();
    const keys = [LIST, ['store', 'a'], ['events', 'a'], ['resources', 'a'], ['revisions', 'a'], ['evidence', 'a', 2], ['overview'], ['me'], ['plans']];
    for (const key of keys) client.setQueryData(key, {});
    take(client, new Again(client), { type: 'resynchronise' });
    expect(keys.filter((key) => client.getQueryState(key)?.isInvalidated === false)).toEqual([['plans']]);
  });
});
