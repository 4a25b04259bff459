/**
 * The same act on many stores, one call after the other at a pace that leaves a part of the rate limit to
 * the page. It is kept above the views: it goes on, and can be stopped, wherever one is.
 */
import { waitsUntil } from '../api/allowance';
import { call, Problem, sentence } from '../api/client';

export type Act = 'delete' | 'retry';

export interface BulkState {
  act: Act;
  total: number;
  done: number;
  problems: readonly { id: string; message: string }[];
  /** Not begun, or begun and not answered. */
  left: readonly string[];
  running: boolean;
  /** It goes on in so many seconds, for the rate limit. */
  waits: number | null;
  /** Why it was stopped, where nobody stopped it. */
  halted: string | null;
}

const PAUSE = 150;
const TRIES = 5;

export interface Clock {
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}
const browser: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

const request = (act: Act, id: string) =>
  act === 'delete' ? call('DELETE', `/stores/${id}`) : call('POST', `/stores/${id}/retry`);

/** Every further call would end the same way: nobody answers, or one is signed out. */
const isTheEnd = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || error.status === 401);

export class Bulk {
  private state: BulkState | null = null;
  private readonly listeners = new Set<() => void>();
  /** Stands for the run that may go on; another, or null, ends it after the call that is under way. */
  private run: symbol | null = null;
  /** The run that the state tells of. */
  private shown: symbol | null = null;

  constructor(private readonly clock: Clock = browser) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): BulkState | null => this.state;

  /** Begin; resolves when it ended or was stopped. One is under way at a time. */
  async start(act: Act, ids: readonly string[]): Promise<void> {
    if (this.run !== null || ids.length === 0) return;
    const run = Symbol(act);
    this.run = this.shown = run;
    this.tell({ act, total: ids.length, done: 0, problems: [], left: ids, running: true, waits: null, halted: null });
    for (const id of ids) {
      const halted = await this.one(run, act, id);
      if (halted !== null) this.end(run, { halted });
      else await this.clock.sleep(PAUSE);
      if (!this.goesOn(run)) return;
    }
    this.end(run, {});
  }

  /** Begin no further one. */
  readonly stop = (): void => {
    if (this.run !== null) this.end(this.run, {});
  };

  /** Forget what is over. */
  readonly dismiss = (): void => {
    if (this.run === null) this.tell(null);
  };

  private goesOn(run: symbol): boolean {
    return this.run === run;
  }

  private end(run: symbol, why: Partial<BulkState>): void {
    if (!this.goesOn(run)) return;
    this.run = null;
    this.change({ running: false, waits: null, ...why });
  }

  /** Do it to one, and wait first where the page would be left without calls. Returns why all have to stop, or null. */
  private async one(run: symbol, act: Act, id: string): Promise<string | null> {
    for (let attempt = 1; this.goesOn(run); attempt += 1) {
      await this.wait(run, waitsUntil(this.clock.now()));
      if (!this.goesOn(run)) return null;
      try {
        await request(act, id);
        this.settle(run, id, null);
        return null;
      } catch (error) {
        if (isTheEnd(error)) return sentence(error);
        if (!(error instanceof Problem) || error.status !== 429 || attempt === TRIES) {
          const gone = act === 'delete' && error instanceof Problem && error.status === 404;
          this.settle(run, id, gone ? null : sentence(error));
          return null;
        }
        await this.wait(run, this.clock.now() + 1000 * (error.retryAfter ?? 5));
      }
    }
    return null;
  }

  /** By the clock: a hidden tab's timers are late. */
  private async wait(run: symbol, until: number | null): Promise<void> {
    for (let rest = 0; until !== null && (rest = until - this.clock.now()) > 0 && this.goesOn(run); ) {
      this.change({ waits: Math.ceil(rest / 1000) });
      await this.clock.sleep(Math.min(1000, rest));
    }
    if (this.goesOn(run) && this.state?.waits != null) this.change({ waits: null });
  }

  /** One is answered, perhaps after it was all stopped. */
  private settle(run: symbol, id: string, problem: string | null): void {
    if (this.state === null || this.shown !== run) return;
    this.change({
      done: this.state.done + 1,
      left: this.state.left.filter((other) => other !== id),
      problems: problem === null ? this.state.problems : [...this.state.problems, { id, message: problem }],
    });
  }

  private change(what: Partial<BulkState>): void {
    if (this.state !== null) this.tell({ ...this.state, ...what });
  }

  private tell(state: BulkState | null): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
