/**
 * The event stream as this page keeps it: opened once, resumed by the browser where it was, opened
 * anew when the browser gives it up, the server restarted or the machine slept.
 *
 * Invariant: `stale` is said whenever what is shown may be old, and every event is handed on at
 * least once after it; whoever listens takes the newest state of a store, not the sum of changes.
 */
import type { Entry, Store } from '../api/types';

export type FeedState = 'connecting' | 'live' | 'stale';

export type FeedEvent =
  | { type: 'store'; store: Store }
  | { type: 'timeline'; entry: Entry }
  | { type: 'deleted'; id: string }
  | { type: 'resynchronise' };

export interface Surroundings {
  open: (url: string) => EventSource;
  now: () => number;
  every: (milliseconds: number, work: () => void) => () => void;
  after: (milliseconds: number, work: () => void) => () => void;
}

const TICK = 5_000;
/** A tick that comes so late means that the machine, or this tab, slept. */
const SLEPT = 20_000;
const LONGEST_PAUSE = 15_000;
const CLOSED = 2;

export const browser: Surroundings = {
  open: (url) => new EventSource(url),
  now: () => Date.now(),
  every: (milliseconds, work) => {
    const timer = setInterval(work, milliseconds);
    return () => clearInterval(timer);
  },
  after: (milliseconds, work) => {
    const timer = setTimeout(work, milliseconds);
    return () => clearTimeout(timer);
  },
};

export class Feed {
  state: FeedState = 'connecting';
  paused = false;
  private source: EventSource | null = null;
  private last: string | null = null;
  private failures = 0;
  private ticked = 0;
  private stopTicking: (() => void) | null = null;
  private stopWaiting: (() => void) | null = null;

  constructor(
    private readonly tell: (event: FeedEvent) => void,
    private readonly changed: (state: FeedState) => void,
    private readonly surroundings: Surroundings = browser,
  ) {}

  start(): void {
    this.ticked = this.surroundings.now();
    this.stopTicking = this.surroundings.every(TICK, () => this.tick());
    this.open();
  }

  stop(): void {
    this.stopTicking?.();
    this.stopWaiting?.();
    this.source?.close();
    this.source = null;
  }

  /** Give the connection back until somebody looks again. */
  pause(): void {
    this.stopWaiting?.();
    this.source?.close();
    this.source = null;
    this.paused = true;
    this.become('stale');
  }

  /** Open it anew: somebody knows that the old one may be dead. */
  reopen(): void {
    this.stopWaiting?.();
    this.source?.close();
    this.paused = false;
    this.become('stale');
    this.open();
  }

  private tick(): void {
    const now = this.surroundings.now();
    const slept = now - this.ticked > SLEPT;
    this.ticked = now;
    if (slept && !this.paused) this.reopen();
  }

  private open(): void {
    const query = this.last === null ? '' : `?lastEventId=${this.last}`;
    const source = this.surroundings.open(`/api/v1/events/stream${query}`);
    this.source = source;
    source.addEventListener('open', () => {
      this.failures = 0;
      // What happened before the first event is not in the stream; lists are read again.
      this.tell({ type: 'resynchronise' });
      this.become('live');
    });
    source.addEventListener('error', () => this.failed(source));
    for (const type of ['store', 'timeline', 'deleted'] as const) {
      source.addEventListener(type, (event: MessageEvent<string>) => this.take(type, event));
    }
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return;
    this.become('stale');
    if (source.readyState !== CLOSED) return; // the browser tries again by itself
    const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** this.failures);
    this.failures += 1;
    this.stopWaiting = this.surroundings.after(pause, () => this.open());
  }

  private take(type: 'store' | 'timeline' | 'deleted', event: MessageEvent<string>): void {
    if (event.lastEventId !== '') this.last = event.lastEventId;
    const data: unknown = JSON.parse(event.data);
    if (type === 'store') this.tell({ type, store: data as Store });
    else if (type === 'timeline') this.tell({ type, entry: data as Entry });
    else this.tell({ type, id: (data as { id: string }).id });
  }

  private become(state: FeedState): void {
    if (state === this.state) return;
    this.state = state;
    this.changed(state);
  }
}
