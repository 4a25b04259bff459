/** The way of a store to Ready as steps with times, made of its conditions. */
import type { Condition, Store } from '../api/types';
import { between } from '../ui/words';
import type { Attempt } from './attemptOf';
import type { ConditionSeen } from './readEvidence';

/** `undone`: it was done, and taken down with the failed first install. `unreached`: another step failed before it. */
export type StepState = 'done' | 'now' | 'waiting' | 'failed' | 'undone' | 'unreached';

export interface Step {
  type: Condition['type'];
  title: string;
  state: StepState;
  /** Why it is not done, or what was found; empty where there is nothing to say. */
  message: string;
  /** Seconds from the request to its end; null while it is not done, or where it was not done in this attempt. */
  after: number | null;
}

const TITLES_OF_A_SHOP: Record<Condition['type'], string> = {
  Applied: 'Objects applied',
  DatabaseReady: 'Database',
  SetupComplete: 'Set-up, and an order as evidence',
  WordPressReady: 'WordPress',
  RouteReady: 'Route for visitors',
  Ready: 'Ready',
};

/** The order is WooCommerce's. */
const titlesOf = (store: Store) => (store.engine === 'woocommerce' ? TITLES_OF_A_SHOP : { ...TITLES_OF_A_SHOP, SetupComplete: 'Set-up' });

const ORDER: readonly Condition['type'][] = ['Applied', 'DatabaseReady', 'SetupComplete', 'WordPressReady', 'RouteReady', 'Ready'];

/** In which order the service looks for what kept a revision from Ready. */
const JUDGED: readonly Condition['type'][] = ['Applied', 'DatabaseReady', 'WordPressReady', 'SetupComplete', 'RouteReady'];

/** `seen`: the conditions at the failure, of its evidence; null while they are not known. */
export function stepsOf(store: Store, attempt: Attempt | null = null, seen: readonly ConditionSeen[] | null = null): Step[] {
  const known = new Map(store.conditions.map((c) => [c.type, c]));
  if (store.phase === 'Failed') return failedSteps(store, known, seen);
  const titles = titlesOf(store);
  let current = true;
  return ORDER.map((type) => {
    const condition = known.get(type);
    let state: StepState = 'done';
    if (condition?.status !== 'True') {
      state = current ? 'now' : 'waiting';
      current = false;
    }
    const after = condition?.status === 'True' && attempt !== null ? took(attempt, condition.lastTransitionTime) : null;
    return { type, title: titles[type], state, message: state === 'waiting' ? '' : (condition?.message ?? ''), after };
  });
}

/** What was done before the attempt, or went and came back after it was Ready, says nothing of its length. */
function took({ begun, ready }: Attempt, at: string): number | null {
  const after = between(begun, at);
  return after < 0 || (ready !== null && between(ready, at) >= 1) ? null : after;
}

type Known = ReadonlyMap<Condition['type'], Condition>;

/** A failed first install is taken down and its conditions say only that: then the evidence tells how far it came. */
function failedSteps(store: Store, known: Known, seen: readonly ConditionSeen[] | null): Step[] {
  const down = known.get('Applied')?.reason === 'TakenDown';
  const verdict = known.get('Ready')?.message ?? store.message;
  const at = down ? failedAt(verdict, seen) : (JUDGED.find((type) => known.get(type)?.status !== 'True') ?? null);
  const worked = (type: Condition['type']): boolean => {
    if (!down) return known.get(type)?.status === 'True';
    // Observed is only what was applied.
    if (type === 'Applied') return at !== null && at !== 'Applied';
    return seen?.find((c) => c.type === type)?.healthy ?? false;
  };
  const titles = titlesOf(store);
  return ORDER.map((type) => {
    const title = titles[type];
    if (type === at) return { type, title, state: 'failed', message: down ? (sentence(type, seen) ?? verdict) : (known.get(type)?.message ?? verdict), after: null };
    if (worked(type)) return { type, title, state: down ? 'undone' : 'done', message: down ? '' : (known.get(type)?.message ?? ''), after: null };
    return { type, title, state: 'unreached', message: '', after: null };
  });
}

/** The verdict ends with the sentence of the step that it is about; one about none of those seen is about applying. */
function failedAt(verdict: string, seen: readonly ConditionSeen[] | null): Condition['type'] | null {
  if (seen === null) return null;
  return JUDGED.find((type) => seen.some((c) => c.type === type && !c.healthy && c.message !== '' && verdict.includes(c.message))) ?? 'Applied';
}

const sentence = (type: Condition['type'], seen: readonly ConditionSeen[] | null): string | null => seen?.find((c) => c.type === type)?.message ?? null;
