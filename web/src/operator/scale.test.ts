import { describe, expect, it } from 'vitest';

import { across, path, roundUp, runs, spanOf, ticks, WIDTH } from './scale';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 0, 1, 12);
const sample = (minute: number) => ({ time: new Date(NOON + minute * MINUTE).toISOString() });

describe('a picture of the past', () => {
  it('is drawn by time: a gap takes its room and breaks the line', () => {
    const samples = [0, 1, 2, 30, 31].map(sample);
    expect(runs(samples).map((run) => run.length)).toEqual([3, 2]);
    const span = spanOf(samples);
    expect(across(span, NOON)).toBe(0);
    expect(across(span, NOON + 16 * MINUTE)).toBe(WIDTH / 2);
    expect(across(span, NOON + 32 * MINUTE)).toBe(WIDTH);
  });

  it('bears a sample that is late, and one that is missing', () => {
    expect(runs([0, 1.9, 4].map(sample))).toHaveLength(1);
  });

  it('has round moments of the local clock at its foot', () => {
    const span = { from: NOON + 7 * MINUTE, to: NOON + 247 * MINUTE };
    expect(ticks(span, 5, 0)).toEqual({ step: 60 * MINUTE, at: [1, 2, 3, 4].map((h) => NOON + h * 60 * MINUTE) });
    // Half an hour off: India.
    expect(ticks(span, 5, -330 * MINUTE).at[0]).toBe(NOON + 30 * MINUTE);
    for (const length of [60, 500, 86_400, 86_400 * 400]) {
      const { at } = ticks({ from: NOON, to: NOON + length * 1000 }, 5, 0);
      expect(at.length).toBeGreaterThan(0);
      expect(at.length).toBeLessThan(7);
    }
  });
});

describe('a line', () => {
  it('breaks where nothing was measured, and a point alone is seen', () => {
    expect(path([{ x: 0, y: 1 }, { x: 1, y: 2 }, null, { x: 3, y: 4 }])).toBe('M0.0 1.0L1.0 2.0M3.0 4.0h0');
  });

  it.each([[0, 1], [0.03, 0.05], [7, 10], [21, 25], [100, 100]])('of up to %d has an axis up to %d', (largest, most) => {
    expect(roundUp(largest)).toBeCloseTo(most);
  });
});
