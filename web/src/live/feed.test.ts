import { describe, expect, it } from 'vitest';

import { Problem } from '../api/client';
import { type FeedEvent, type FeedState, openFeed } from './feed';
import type { Listener } from './read';
import type { Surroundings } from './stream';

/** A stream that a test moves. */
class Source {
  closed = false;
  constructor(
    readonly path: string,
    readonly last: string | null,
    private readonly listener: Listener,
  ) {}
  opens(): void {
    this.listener.opened();
  }
  /** The comment that keeps it alive, or half an event. */
  breathes(): void {
    this.listener.alive();
  }
  fails(problem: Problem | null = null): void {
    if (!this.closed) this.listener.ended(problem);
  }
  says(type: string, id: number, data: unknown): void {
    this.listener.alive();
    this.listener.event(type, JSON.stringify(data), String(id));
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
    read: (path, last, listener) => {
      const source = new Source(path, last, listener);
      sources.push(source);
      return () => {
        source.closed = true;
      };
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
  const feed = openFeed((e) => events.push(e), (s) => states.push(s), surroundings);
  feed.start();
  const newest = () => {
    const found = sources[sources.length - 1];
    if (!found) throw new Error('nothing was opened');
    return found;
  };
  return {
    feed, sources, events, states, waits, newest,
    /** So much passes at once, as when the machine sleeps. */
    pass: (milliseconds: number) => {
      now += milliseconds;
      tick();
    },
    /** So much passes as it does when the page is awake. */
    wait: (milliseconds: number) => {
      for (let passed = 0; passed < milliseconds; passed += 5_000) {
        now += 5_000;
        tick();
      }
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

  it('is stale when it is cut, opens anew where it was, ever more slowly', () => {
    const { newest, waits, sources, states } = scene();
    newest().opens();
    newest().says('timeline', 41, { seq: 41 });
    for (let i = 0; i < 8; i += 1) {
      newest().fails();
      waits[waits.length - 1]?.work();
    }
    expect(waits.map((w) => w.milliseconds)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    expect(sources.slice(1).every((s) => s.last === '41')).toBe(true);
    newest().opens();
    expect(states).toEqual(['live', 'stale', 'live']);
  });

  it('reads everything again when it is back, and is quick again once it held', () => {
    const { newest, waits, events, wait } = scene();
    for (let i = 0; i < 3; i += 1) {
      newest().opens();
      newest().fails();
      waits[waits.length - 1]?.work();
    }
    newest().opens();
    wait(10_000);
    newest().fails();
    expect(waits.map((w) => w.milliseconds)).toEqual([500, 1000, 2000, 500]);
    expect(events.filter((e) => e.type === 'resynchronise')).toHaveLength(4);
  });

  it('waits as long as the service asks when it is refused', () => {
    const { newest, waits } = scene();
    newest().fails(new Problem(429, 'Too many', [], 7));
    expect(waits.map((w) => w.milliseconds)).toEqual([7000]);
  });

  it('is not opened again where the answer would be the same', () => {
    const { newest, waits } = scene();
    newest().fails(new Problem(404, 'No such store'));
    expect(waits).toEqual([]);
  });

  it('is stale, and opened anew where it was, when the service hangs with its connections open', () => {
    const { newest, sources, states, wait } = scene();
    const first = newest();
    first.opens();
    first.says('timeline', 41, { seq: 41 });
    wait(30_000);
    expect(states).toEqual(['live']);
    wait(10_000);
    expect(states).toEqual(['live', 'stale']);
    expect(first.closed).toBe(true);
    expect(newest().last).toBe('41');
    wait(40_000); // the new one is not even answered
    expect(sources).toHaveLength(3);
    newest().opens();
    expect(states).toEqual(['live', 'stale', 'live']);
  });

  it('stays live for hours on comments alone', () => {
    const { newest, sources, states, wait } = scene();
    newest().opens();
    for (let i = 0; i < 500; i += 1) {
      wait(15_000);
      newest().breathes();
    }
    expect(states).toEqual(['live']);
    expect(sources).toHaveLength(1);
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
    first.fails();
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
