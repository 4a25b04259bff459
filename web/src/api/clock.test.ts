import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { call } from './client';
import { hear, serviceNow } from './clock';

const NOW = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;
const header = (time: number) => new Date(time).toUTCString();

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => {
  hear(header(NOW), NOW, NOW);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the clock of the service', () => {
  it('is heard of in its answers, where the browser is wrong', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('{}', { headers: { Date: header(NOW + HOUR) } })));
    await call('GET', '/me');
    expect(serviceNow()).toBe(NOW + HOUR + 500);
  });

  it('is the browser’s own where they agree, and does not jump with each answer', () => {
    hear(header(NOW - 1000), NOW - 300, NOW);
    expect(serviceNow()).toBe(NOW);
    hear(header(NOW + HOUR), NOW, NOW);
    hear(header(NOW + HOUR - 1000), NOW, NOW);
    expect(serviceNow()).toBe(NOW + HOUR + 500);
  });

  it('is left as it was by an answer that took long, or says nothing', () => {
    hear(header(NOW - 15_000), NOW - 20_000, NOW);
    hear(null, NOW, NOW);
    hear('yesterday', NOW, NOW);
    expect(serviceNow()).toBe(NOW);
  });
});
