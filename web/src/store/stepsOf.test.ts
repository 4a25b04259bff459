import { describe, expect, it } from 'vitest';

import type { Condition, Phase, Store } from '../api/types';
import { stepsOf } from './stepsOf';

const AT = '2026-01-01T00:00:00.000Z';
const after = (seconds: number) => new Date(Date.parse(AT) + seconds * 1000).toISOString();

function store(phase: Phase, done: Partial<Record<Condition['type'], number>>, generation = 1): Store {
  const types: Condition['type'][] = ['Applied', 'DatabaseReady', 'WordPressReady', 'SetupComplete', 'RouteReady', 'Ready'];
  const conditions = types.map((type) => ({
    type,
    status: type in done ? 'True' : 'False',
    message: `about ${type}`,
    lastTransitionTime: after(done[type] ?? 0),
  }));
  return { phase, generation, createdAt: AT, readyAt: null, conditions } as unknown as Store;
}

describe('the steps of a store', () => {
  it('say which is under way, and how long the others took', () => {
    const steps = stepsOf(store('Provisioning', { Applied: 0.3, DatabaseReady: 7 }));
    expect(steps.map((s) => s.state)).toEqual(['done', 'done', 'now', 'waiting', 'waiting', 'waiting']);
    expect(steps.map((s) => s.after)).toEqual([0.3, 7, null, null, null, null]);
  });

  it('say which one failed', () => {
    expect(stepsOf(store('Failed', { Applied: 1 }))[1]).toMatchObject({ type: 'DatabaseReady', state: 'failed', message: 'about DatabaseReady' });
  });

  it('leave out what went and came back after the shop was Ready', () => {
    const all = { Applied: 1, DatabaseReady: 400, SetupComplete: 3, WordPressReady: 4, RouteReady: 5, Ready: 400 };
    const shop = { ...store('Ready', all), readyAt: after(6) };
    expect(stepsOf(shop).map((s) => s.after)).toEqual([1, null, 3, 4, 5, null]);
  });

  it('give no times for a shop that was changed since', () => {
    const all = { Applied: 1, DatabaseReady: 2, SetupComplete: 3, WordPressReady: 4, RouteReady: 5, Ready: 6 };
    expect(stepsOf(store('Ready', all, 2)).every((s) => s.state === 'done' && s.after === null)).toBe(true);
  });
});
