import { describe, expect, it } from 'vitest';

import type { Condition, Phase, Store } from '../api/types';
import { stepsOf } from './stepsOf';

const AT = '2026-01-01T00:00:00.000Z';
const after = (seconds: number) => new Date(Date.parse(AT) + seconds * 1000).toISOString();
const TYPES: Condition['type'][] = ['Applied', 'DatabaseReady', 'WordPressReady', 'SetupComplete', 'RouteReady', 'Ready'];

function store(phase: Phase, done: Partial<Record<Condition['type'], number>>): Store {
  const conditions = TYPES.map((type) => ({
    type,
    status: type in done ? 'True' : 'False',
    reason: 'Whatever',
    message: `about ${type}`,
    lastTransitionTime: after(done[type] ?? 0),
  }));
  return { phase, createdAt: AT, message: 'the message', conditions } as unknown as Store;
}

describe('the steps of a store', () => {
  it('say which is under way, and how long the others took', () => {
    const steps = stepsOf(store('Provisioning', { Applied: 0.3, DatabaseReady: 7 }), { begun: AT, ready: null });
    expect(steps.map((s) => s.state)).toEqual(['done', 'done', 'now', 'waiting', 'waiting', 'waiting']);
    expect(steps.map((s) => s.after)).toEqual([0.3, 7, null, null, null, null]);
  });

  it('leave out what went and came back after the shop was Ready', () => {
    const all = { Applied: 1, DatabaseReady: 400, SetupComplete: 3, WordPressReady: 4, RouteReady: 5, Ready: 400 };
    expect(stepsOf(store('Ready', all), { begun: AT, ready: after(6) }).map((s) => s.after)).toEqual([1, null, 3, 4, 5, null]);
  });

  it('count from the present attempt and leave out what stood before it', () => {
    const all = { Applied: 503, DatabaseReady: 2, SetupComplete: 3, WordPressReady: 506, RouteReady: 507, Ready: 507 };
    expect(stepsOf(store('Ready', all), { begun: after(500), ready: after(507) }).map((s) => s.after)).toEqual([3, null, null, 6, 7, 7]);
  });

  it('promise an order where there is a shop, and else none', () => {
    const of = (engine: Store['engine']) => stepsOf({ ...store('Ready', {}), engine }).map((s) => s.title);
    expect(of('woocommerce')).toContain('Set-up, and an order as evidence');
    expect(of('wordpress')).toContain('Set-up');
  });

  it('have no times while nothing is known of the attempt', () => {
    expect(stepsOf(store('Provisioning', { Applied: 1 })).every((s) => s.after === null)).toBe(true);
  });
});

describe('the steps of a store that failed', () => {
  const seen = (healthy: Condition['type'][], messages: Partial<Record<Condition['type'], string>> = {}) =>
    TYPES.filter((t) => t !== 'Applied' && t !== 'Ready').map((type) => ({ type, healthy: healthy.includes(type), message: messages[type] ?? `seen of ${type}` }));

  function takenDown(verdict: string): Store {
    const down = store('Failed', {});
    const conditions = down.conditions.map((c) => (c.type === 'Ready' ? { ...c, message: verdict } : { ...c, reason: 'TakenDown', message: 'was taken down' }));
    return { ...down, conditions };
  }

  it('say which one failed of a shop that is kept', () => {
    const steps = stepsOf(store('Failed', { Applied: 1, DatabaseReady: 2 }));
    expect(steps.map((s) => s.state)).toEqual(['done', 'done', 'unreached', 'failed', 'unreached', 'unreached']);
    expect(steps[3]).toMatchObject({ type: 'WordPressReady', message: 'about WordPressReady' });
  });

  it('say by the evidence which one failed of an install that was taken down', () => {
    const steps = stepsOf(takenDown('Not Ready within 10 min: seen of WordPressReady'), null, seen(['DatabaseReady']));
    expect(steps.map((s) => s.state)).toEqual(['undone', 'undone', 'unreached', 'failed', 'unreached', 'unreached']);
    expect(steps[3]).toMatchObject({ type: 'WordPressReady', message: 'seen of WordPressReady' });
  });

  it('know one whose objects the cluster refused', () => {
    const steps = stepsOf(takenDown('The cluster refuses the store’s objects: no'), null, seen([]));
    expect(steps.map((s) => s.state)).toEqual(['failed', 'unreached', 'unreached', 'unreached', 'unreached', 'unreached']);
    expect(steps[0]?.message).toBe('The cluster refuses the store’s objects: no');
  });

  it('blame none while the evidence is not known', () => {
    expect(stepsOf(takenDown('Not Ready')).some((s) => s.state === 'failed')).toBe(false);
  });
});
