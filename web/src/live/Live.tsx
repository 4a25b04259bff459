/** One stream for the whole page; what it tells goes into the query cache. */
import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

import type { Entry, Page, Store } from '../api/types';
import { newer, withEntry, withoutStore, withStore } from './cache';
import { Feed, type FeedEvent, type FeedState } from './feed';

const State = createContext<FeedState>('connecting');

/** Whether what is shown is current. */
export const useFeedState = (): FeedState => useContext(State);

const SETTLE = 800;
const HIDDEN = 5_000;

export function Live({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>('connecting');
  useEffect(() => {
    const again = new Again(client);
    const feed = new Feed(
      (event) => take(client, again, event),
      (now) => {
        setState(now);
        // It may be that the session ended: a stream does not say why it was refused.
        if (now === 'stale') void client.invalidateQueries({ queryKey: ['me'] });
      },
    );
    const online = () => feed.reopen();
    // A browser has six connections to one place: tabs that nobody sees give theirs back.
    let hiding: ReturnType<typeof setTimeout> | null = null;
    const seen = () => {
      if (hiding) clearTimeout(hiding);
      hiding = null;
      if (document.hidden) hiding = setTimeout(() => feed.pause(), HIDDEN);
      else if (feed.paused) feed.reopen();
    };
    feed.start();
    window.addEventListener('online', online);
    document.addEventListener('visibilitychange', seen);
    return () => {
      if (hiding) clearTimeout(hiding);
      window.removeEventListener('online', online);
      document.removeEventListener('visibilitychange', seen);
      feed.stop();
      again.stop();
    };
  }, [client]);
  return <State.Provider value={state}>{children}</State.Provider>;
}

/** Reads lists again a moment after the last of many events. */
class Again {
  private keys = new Map<string, readonly unknown[]>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  constructor(private readonly client: QueryClient) {}

  read(key: readonly unknown[]): void {
    this.keys.set(JSON.stringify(key), key);
    this.timer ??= setTimeout(() => this.now(), SETTLE);
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
  }

  private now(): void {
    this.timer = null;
    const keys = [...this.keys.values()];
    this.keys.clear();
    for (const queryKey of keys) void this.client.invalidateQueries({ queryKey });
  }
}

function take(client: QueryClient, again: Again, event: FeedEvent): void {
  switch (event.type) {
    case 'store':
      takeStore(client, again, event.store);
      return;
    case 'timeline':
      client.setQueryData<Entry[]>(['events', event.entry.store], (known) => known && withEntry(known, event.entry));
      return;
    case 'deleted':
      client.setQueriesData<InfiniteData<Page<Store>>>({ queryKey: ['stores'] }, (known) => known && withoutStore(known, event.id));
      void client.invalidateQueries({ queryKey: ['store', event.id] });
      // Another store may come under this id: nothing of the old one is shown for it.
      for (const key of ['events', 'resources', 'revisions', 'evidence']) client.removeQueries({ queryKey: [key, event.id] });
      again.read(['me']);
      again.read(['overview']);
      return;
    case 'resynchronise':
      for (const key of ['stores', 'store', 'events', 'resources', 'me']) void client.invalidateQueries({ queryKey: [key] });
  }
}

function takeStore(client: QueryClient, again: Again, told: Store): void {
  client.setQueryData<Store>(['store', told.id], (known) => (known ? newer(known, told) : told));
  for (const [key, known] of client.getQueriesData<InfiniteData<Page<Store>>>({ queryKey: ['stores'] })) {
    if (known === undefined) continue;
    const phase = (key[1] as { phase?: string | null } | undefined)?.phase ?? null;
    const fits = phase === null || phase === told.phase;
    const changed = fits ? withStore(known, told) : withoutStore(known, told.id);
    if (changed === null) again.read(key);
    else client.setQueryData(key, changed);
  }
  for (const key of ['resources', 'revisions']) again.read([key, told.id]);
  again.read(['me']);
  again.read(['overview']);
}
