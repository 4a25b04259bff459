import { afterEach, describe, expect, it, vi } from 'vitest';

import { Bulk, type BulkState } from './bulk';

const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers });

/** A service that answers as told, by the last letter of what is asked for. */
function scene(answers: (id: string) => Response | Promise<Response>) {
  const asked: string[] = [];
  const start = Date.now();
  let now = start;
  const told: (BulkState | null)[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path.replace('/api/v1/stores/', ''));
    return answers(path.slice(-1));
  });
  const bulk = new Bulk({
    now: () => now,
    sleep: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  });
  bulk.subscribe(() => told.push(bulk.snapshot()));
  return { bulk, asked, told, passed: () => now - start };
}

afterEach(() => vi.unstubAllGlobals());

describe('an act on many stores', () => {
  it('goes from one to the next, waits as a 429 says, and names what was not done', async () => {
    let refused = false;
    const { bulk, asked, passed, told } = scene((id) => {
      if (id === 'b' && !refused) {
        refused = true;
        return answer(429, { detail: 'too many' }, { 'Retry-After': '7' });
      }
      if (id === 'c') return answer(409, { detail: 'It is in deletion' });
      return answer(id === 'd' ? 404 : 202);
    });
    await bulk.start('delete', ['a', 'b', 'c', 'd']);
    expect(asked).toEqual(['a', 'b', 'b', 'c', 'd']);
    expect(passed()).toBeGreaterThanOrEqual(7000);
    expect([...new Set(told.map((s) => s?.waits ?? 0))]).toEqual([0, 7, 6, 5, 4, 3, 2, 1]);
    expect(bulk.snapshot()).toMatchObject({ running: false, done: 4, left: [], problems: [{ id: 'c', message: 'It is in deletion' }] });
  });

  it('leaves a part of the rate limit to the page', async () => {
    let remaining = 13;
    const { bulk, asked, told } = scene(() => {
      remaining -= 1;
      return answer(202, {}, { 'RateLimit-Limit': '40', 'RateLimit-Remaining': String(remaining), 'RateLimit-Reset': '30' });
    });
    const ids = ['a', 'b', 'c', 'd', 'e'];
    bulk.subscribe(() => {
      if (bulk.snapshot()?.waits !== null && remaining === 10) remaining = 40; // as after the reset
    });
    await bulk.start('delete', ids);
    expect(asked).toEqual(ids);
    const waited = told.filter((s) => s?.waits != null);
    expect(waited[0]).toMatchObject({ waits: 30, done: 3 });
    expect(waited.every((s) => s?.done === 3)).toBe(true);
  });

  it('says that all went well until that was seen', async () => {
    const { bulk, told } = scene(() => answer(202));
    await bulk.start('retry', ['a', 'b']);
    expect(told.map((s) => s?.done)).toEqual([0, 1, 2, 2]);
    expect(bulk.snapshot()).toMatchObject({ running: false, done: 2, left: [], problems: [] });
    bulk.dismiss();
    expect(bulk.snapshot()).toBeNull();
  });

  it('that is stopped begins no further one, counts the one under way, and can go on', async () => {
    let arrive: (response: Response) => void = () => undefined;
    const { bulk, asked } = scene((id) => (id === 'b' ? new Promise((resolve) => (arrive = resolve)) : answer(202)));
    const first = bulk.start('delete', ['a', 'b', 'c']);
    await vi.waitFor(() => expect(asked).toEqual(['a', 'b']));
    bulk.stop();
    expect(bulk.snapshot()).toMatchObject({ running: false, done: 1, left: ['b', 'c'] });
    arrive(answer(202));
    await first;
    expect(bulk.snapshot()).toMatchObject({ done: 2, left: ['c'] });
    await bulk.start('delete', bulk.snapshot()?.left ?? []);
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(bulk.snapshot()).toMatchObject({ running: false, total: 1, done: 1 });
  });

  it('stops by itself when the service is gone: the rest would fail as well', async () => {
    const { bulk, asked } = scene((id) => (id === 'b' ? Promise.reject(new TypeError('Failed to fetch')) : answer(202)));
    await bulk.start('delete', ['a', 'b', 'c']);
    expect(asked).toEqual(['a', 'b']);
    expect(bulk.snapshot()).toMatchObject({ running: false, done: 1, left: ['b', 'c'], problems: [] });
    expect(bulk.snapshot()?.halted).toContain('does not answer');
  });

  it('is one at a time', async () => {
    const { bulk, asked } = scene(() => answer(202));
    await Promise.all([bulk.start('delete', ['a']), bulk.start('delete', ['b'])]);
    expect(asked).toEqual(['a']);
  });
});
