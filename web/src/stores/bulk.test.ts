import { afterEach, describe, expect, it, vi } from 'vitest';

import { Bulk, type BulkState } from './bulk';

const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers });

/** A service that answers as told, by the last letter of what is asked for. */
function scene(answers: (id: string) => Response | Promise<Response>) {
  const asked: string[] = [];
  const slept: number[] = [];
  const told: (BulkState | null)[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path.replace('/api/v1/stores/', ''));
    return answers(path.slice(-1));
  });
  const bulk = new Bulk((milliseconds) => {
    slept.push(milliseconds);
    return Promise.resolve();
  });
  bulk.subscribe(() => told.push(bulk.snapshot()));
  return { bulk, asked, slept, told };
}

afterEach(() => vi.unstubAllGlobals());

describe('an act on many stores', () => {
  it('goes from one to the next, waits as a 429 says, and names what was not done', async () => {
    let refused = false;
    const { bulk, asked, slept, told } = scene((id) => {
      if (id === 'b' && !refused) {
        refused = true;
        return answer(429, { detail: 'too many' }, { 'Retry-After': '7' });
      }
      if (id === 'c') return answer(409, { detail: 'It is in deletion' });
      return answer(id === 'd' ? 404 : 202);
    });
    await bulk.start('delete', ['a', 'b', 'c', 'd']);
    expect(asked).toEqual(['a', 'b', 'b', 'c', 'd']);
    expect(slept).toContain(7000);
    expect(told.map((s) => s?.waits)).toContain(7);
    expect(bulk.snapshot()).toMatchObject({ running: false, done: 4, left: [], problems: [{ id: 'c', message: 'It is in deletion' }] });
  });

  it('leaves nothing behind when all went well', async () => {
    const { bulk, told } = scene(() => answer(202));
    await bulk.start('retry', ['a', 'b']);
    expect(told.map((s) => s?.done)).toEqual([0, 1, 2, 2, undefined]);
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
    expect(bulk.snapshot()).toBeNull();
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
