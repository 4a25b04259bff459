import { describe, expect, it } from 'vitest';

import { Feed, type FeedEvent, type FeedState, type Surroundings } from './feed';

/** An EventSource that a test moves. */
class Source extends EventTarget {
  readyState = 0;
  closed = false;
  constructor(readonly url: string) {
    super();
  }
  close(): void {
    this.closed = true;
    this.readyState = 2;
  }
  opens(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
  fails(forGood: boolean): void {
    this.readyState = forGood ? 2 : 0;
    this.dispatchEvent(new Event('error'));
  }
  says(type: string, id: number, data: unknown): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId: String(id) }));
  }
}

function scene() {
  const sources: Source[] = [];
  const events: FeedEvent[] = [];
  const states: FeedState[] = [];
  const waits: { milliseconds: number; work: () => void }[] = [];
  let tick: () => void = () => undefined;
  let now = 0;
  const surroundings: Surroundings = {
    open: (url) => {
      const source = new Source(url);
      sources.push(source);
      return source as unknown as EventSource;
    },
    now: () => now,
    every: (_, work) => {
      tick = work;
      return () => undefined;
    },
    after: (milliseconds, work) => {
      waits.push({ milliseconds, work });
      return () => undefined;
    },
  };
  const feed = new Feed((e) => events.push(e), (s) => states.push(s), surroundings);
  feed.start();
  const newest = () => {
    const found = sources[sources.length - 1];
    if (!found) throw new Error('nothing was opened');
    return found;
  };
  return {
    feed, sources, events, states, waits, newest,
    pass: (milliseconds: number) => {
      now += milliseconds;
      tick();
    },
  };
}

describe('the feed', () => {
  it('reads everything again once it is open, then hands on what comes', () => {
    const { newest, events, states } = scene();
    newest().opens();
    newest().says('store', 7, { id: 'acme' });
    newest().says('timeline', 8, { seq: 8 });
    newest().says('deleted', 9, { id: 'beta' });
    expect(events.map((e) => e.type)).toEqual(['resynchronise', 'store', 'timeline', 'deleted']);
    expect(states).toEqual(['live']);
  });

  it('is stale while the browser tries again, and live when it is back', () => {
    const { newest, states, sources, events } = scene();
    newest().opens();
    newest().fails(false);
    newest().opens();
    expect(states).toEqual(['live', 'stale', 'live']);
    expect(sources).toHaveLength(1);
    expect(events.filter((e) => e.type === 'resynchronise')).toHaveLength(2);
  });

  it('opens anew where it was when the browser gives up, ever more slowly', () => {
    const { newest, waits, sources } = scene();
    newest().opens();
    newest().says('timeline', 41, { seq: 41 });
    for (let i = 0; i < 8; i += 1) {
      newest().fails(true);
      waits[waits.length - 1]?.work();
    }
    expect(waits.map((w) => w.milliseconds)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    expect(sources.slice(1).every((s) => s.url.endsWith('?lastEventId=41'))).toBe(true);
  });

  it('opens anew after the machine slept, and not for the error of the one it left', () => {
    const { newest, pass, sources, states, waits } = scene();
    const first = newest();
    first.opens();
    pass(5_000);
    expect(sources).toHaveLength(1);
    pass(60_000);
    expect(first.closed).toBe(true);
    expect(sources).toHaveLength(2);
    first.fails(true);
    newest().opens();
    expect(waits).toHaveLength(0);
    expect(states).toEqual(['live', 'stale', 'live']);
  });

  it('gives its connection back while nobody looks', () => {
    const { feed, newest, sources, states, pass } = scene();
    newest().opens();
    feed.pause();
    expect(newest().closed).toBe(true);
    pass(60_000);
    expect(sources).toHaveLength(1);
    feed.reopen();
    newest().opens();
    expect(states).toEqual(['live', 'stale', 'live']);
  });
});
