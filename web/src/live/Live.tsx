/** One stream for the whole page; what it tells goes into the query cache. */
import { type InfiniteData, type Query, type QueryClient, type QueryKey, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

import type { Entry, Page, Store } from '../api/types';
import { Again } from './again';
import { type Asked, isPlacedAnew, newer, storeIn, withEntry, withoutStore, withStore } from './cache';
import { type FeedEvent, type FeedState, openFeed } from './feed';

const State = createContext<FeedState>('connecting');

/** Whether what is shown is current. */
export const useFeedState = (): FeedState => useContext(State);

const HIDDEN = 5_000;

export function Live({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>('connecting');
  useEffect(() => {
    const again = new Again(client);
    const feed = openFeed(
      (event) => take(client, again, event),
      (now) => {
        setState(now);
        // It may be that the session ended, which is seen by whatever is asked next.
        if (now === 'stale') again.read(['me']);
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

/** What an event means for what was read. */
export function take(client: QueryClient, again: Again, event: FeedEvent): void {
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
      // Not through `again`: a reading that a cut left without an answer is given up for a new one.
      void client.invalidateQueries({ predicate: grewOld });
  }
}

/** What an event may change. A stream that is opened before its first event tells nothing of the time between. */
const CURRENT = new Set(['stores', 'store', 'events', 'resources', 'revisions', 'evidence', 'overview', 'me']);
const grewOld = ({ queryKey, state }: Query): boolean => CURRENT.has(String(queryKey[0])) || state.status === 'error';

function takeStore(client: QueryClient, again: Again, told: Store): void {
  const lists = client.getQueriesData<InfiniteData<Page<Store>>>({ queryKey: ['stores'] });
  const known = client.getQueryData<Store>(['store', told.id]) ?? lists.map(([, list]) => list && storeIn(list, told.id)).find((s) => s);
  client.setQueryData<Store>(['store', told.id], (before) => (before ? newer(before, told) : told));
  for (const [key, list] of lists) if (list) takeInto(client, again, key, list, told);
  for (const key of ['resources', 'revisions']) again.read([key, told.id]);
  if (known?.createdAt !== told.createdAt) again.read(['me']); // how many stores one has
  again.read(['overview']);
}

/** What is shown of a store changes at once; where it belongs only the service knows. */
function takeInto(client: QueryClient, again: Again, key: QueryKey, list: InfiniteData<Page<Store>>, told: Store): void {
  const asked = (key[1] ?? {}) as Asked;
  const was = storeIn(list, told.id);
  const fits = !asked.phase || asked.phase === (was ? newer(was, told) : told).phase;
  if (!fits) {
    if (was) client.setQueryData(key, withoutStore(list, told.id));
    return;
  }
  const changed = withStore(list, told);
  if (changed !== null) client.setQueryData(key, changed);
  if (!was || isPlacedAnew(asked, was, told)) again.read(key);
}
