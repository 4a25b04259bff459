import { afterEach, describe, expect, it, vi } from 'vitest';

import { bulk } from './bulk';

const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers });

afterEach(() => vi.unstubAllGlobals());

describe('acts on many stores', () => {
  it('go one after the other, wait as a 429 says, and name what was not done', async () => {
    const asked: string[] = [];
    const slept: number[] = [];
    let refused = false;
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path);
      if (path.endsWith('/b') && !refused) {
        refused = true;
        return Promise.resolve(answer(429, { detail: 'too many' }, { 'Retry-After': '7' }));
      }
      if (path.endsWith('/c')) return Promise.resolve(answer(409, { detail: 'It is in deletion' }));
      return Promise.resolve(answer(path.endsWith('/d') ? 404 : 202));
    });
    const told: number[] = [];
    const end = await bulk('delete', ['a', 'b', 'c', 'd'], (s) => told.push(s.done), (ms) => {
      slept.push(ms);
      return Promise.resolve();
    });
    expect(asked.map((p) => p.slice(-1))).toEqual(['a', 'b', 'b', 'c', 'd']);
    expect(slept).toContain(7000);
    expect(told).toEqual([1, 2, 3, 4]);
    expect(end.problems).toEqual([{ id: 'c', message: 'It is in deletion' }]);
  });
});
