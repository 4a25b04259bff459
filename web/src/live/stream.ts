/**
 * An event stream that is kept: opened anew where it was when it is cut, refused or silent, when the
 * machine slept, and when somebody knows better.
 *
 * Invariant: it is `live` only while the service is heard of; `stale` is said whenever what is shown
 * may be old.
 */
import type { Problem } from '../api/client';
import { type Read, read } from './read';

export type StreamState = 'connecting' | 'live' | 'stale';

export interface Hears {
  /** It is open, for the first time or again. */
  opened: () => void;
  event: (type: string, data: string) => void;
  changed: (state: StreamState) => void;
  /** It was refused or cut; whether it is tried again. The service's own words are in the problem. */
  failed?: (problem: Problem | null, again: boolean) => void;
}

export interface Surroundings {
  read: Read;
  now: () => number;
  every: (milliseconds: number, work: () => void) => () => void;
  after: (milliseconds: number, work: () => void) => () => void;
}

const TICK = 5_000;
/** A tick that comes so late means that the machine, or this tab, slept. */
const SLEPT = 20_000;
/** The service sends a comment every 15 s (KEEP_ALIVE in orchestrator/api/stream.py). */
const KEEP_ALIVE = 15_000;
const SILENT = 2.5 * KEEP_ALIVE;
const LONGEST_PAUSE = 15_000;
/** A stream that ends sooner than this did not get better by being opened. */
const HELD = 10_000;
/** Answers that will be the same next time: what is asked for is wrong, or gone. */
const FINAL = new Set([400, 403, 404, 422]);

export const browser: Surroundings = {
  read,
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

export class Stream {
  state: StreamState = 'connecting';
  paused = false;
  private close: (() => void) | null = null;
  private last: string | null = null;
  private failures = 0;
  private openedAt: number | null = null;
  private heardAt = 0;
  private tickedAt = 0;
  private stopTicking: (() => void) | null = null;
  private stopWaiting: (() => void) | null = null;

  constructor(
    private readonly path: string,
    private readonly hears: Hears,
    private readonly surroundings: Surroundings = browser,
  ) {}

  start(): void {
    this.tickedAt = this.surroundings.now();
    this.stopTicking = this.surroundings.every(TICK, () => this.tick());
    this.open();
  }

  stop(): void {
    this.stopTicking?.();
    this.leave();
  }

  /** Give the connection back until somebody looks again. */
  pause(): void {
    this.leave();
    this.paused = true;
    this.become('stale');
  }

  /** Open it anew: somebody knows that the old one may be dead. */
  reopen(): void {
    this.leave();
    this.paused = false;
    this.become('stale');
    this.open();
  }

  private tick(): void {
    const now = this.surroundings.now();
    const slept = now - this.tickedAt > SLEPT;
    const silent = this.close !== null && now - this.heardAt > SILENT;
    this.tickedAt = now;
    if (!this.paused && (slept || silent)) this.reopen();
  }

  private open(): void {
    this.heardAt = this.surroundings.now();
    this.close = this.surroundings.read(this.path, this.last, {
      opened: () => {
        this.openedAt = this.heardAt = this.surroundings.now();
        this.hears.opened();
        this.become('live');
      },
      alive: () => {
        this.heardAt = this.surroundings.now();
      },
      event: (type, data, id) => {
        if (id !== null && id !== '') this.last = id;
        this.hears.event(type, data);
      },
      ended: (problem) => this.ended(problem),
    });
  }

  private ended(problem: Problem | null): void {
    if (this.openedAt !== null && this.surroundings.now() - this.openedAt >= HELD) this.failures = 0;
    this.leave();
    const again = problem === null || !FINAL.has(problem.status);
    this.become('stale');
    this.hears.failed?.(problem, again);
    if (!again) return;
    const asked = 1000 * (problem?.retryAfter ?? 0);
    const pause = Math.max(asked, Math.min(LONGEST_PAUSE, 500 * 2 ** this.failures));
    this.failures += 1;
    this.stopWaiting = this.surroundings.after(pause, () => this.open());
  }

  private leave(): void {
    this.stopWaiting?.();
    this.stopWaiting = null;
    this.close?.();
    this.close = null;
    this.openedAt = null;
  }

  private become(state: StreamState): void {
    if (state === this.state) return;
    this.state = state;
    this.hears.changed(state);
  }
}
