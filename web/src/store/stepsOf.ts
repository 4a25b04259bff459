/** The way of a store to Ready as steps with times, made of its conditions. */
import type { Condition, Store } from '../api/types';
import { between } from '../ui/words';

export type StepState = 'done' | 'now' | 'waiting' | 'failed';

export interface Step {
  type: Condition['type'];
  title: string;
  state: StepState;
  /** Why it is not done, or what was found. */
  message: string;
  /** Seconds from the request to its end; null while it is not done, or where it was redone since. */
  after: number | null;
}

const TITLES: Record<Condition['type'], string> = {
  Applied: 'Objects applied',
  DatabaseReady: 'Database',
  SetupComplete: 'Set-up, and an order as evidence',
  WordPressReady: 'WordPress',
  RouteReady: 'Route for visitors',
  Ready: 'Ready',
};

const ORDER: readonly Condition['type'][] = ['Applied', 'DatabaseReady', 'SetupComplete', 'WordPressReady', 'RouteReady', 'Ready'];

export function stepsOf(store: Store): Step[] {
  const known = new Map(store.conditions.map((c) => [c.type, c]));
  let current = true;
  const failed = store.phase === 'Failed';
  return ORDER.map((type) => {
    const condition = known.get(type);
    const done = condition?.status === 'True';
    let state: StepState = 'done';
    if (!done) {
      state = current ? (failed ? 'failed' : 'now') : 'waiting';
      current = false;
    }
    const first = store.generation === 1;
    // What went and came back since the shop was Ready says nothing of its making.
    const during = (c: Condition) => store.readyAt === null || between(store.readyAt, c.lastTransitionTime) < 1;
    return {
      type,
      title: TITLES[type],
      state,
      message: condition?.message ?? '',
      after: done && first && during(condition) ? between(store.createdAt, condition.lastTransitionTime) : null,
    };
  });
}
