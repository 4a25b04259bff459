/**
 * The events of all stores, as this page hears them.
 *
 * Every event is handed on at least once; whoever listens takes the newest state of a store, not the
 * sum of changes.
 */
import type { Entry, Store } from '../api/types';
import { type Hears, Stream, type StreamState, type Surroundings } from './stream';

export type { StreamState as FeedState } from './stream';

export type FeedEvent =
  | { type: 'store'; store: Store }
  | { type: 'timeline'; entry: Entry }
  | { type: 'deleted'; id: string }
  | { type: 'resynchronise' };

export function openFeed(tell: (event: FeedEvent) => void, changed: (state: StreamState) => void, surroundings?: Surroundings): Stream {
  const hears: Hears = {
    // What happened before the first event is not in the stream; lists are read again.
    opened: () => tell({ type: 'resynchronise' }),
    event: (type, data) => {
      const told = eventOf(type, data);
      if (told !== null) tell(told);
    },
    changed,
  };
  return new Stream('/events/stream', hears, surroundings);
}

function eventOf(type: string, data: string): FeedEvent | null {
  switch (type) {
    case 'store':
      return { type, store: JSON.parse(data) as Store };
    case 'timeline':
      return { type, entry: JSON.parse(data) as Entry };
    case 'deleted':
      return { type, id: (JSON.parse(data) as { id: string }).id };
    default:
      return null;
  }
}
