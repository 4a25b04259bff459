import { afterEach, describe, expect, it, vi } from 'vitest';

import { call, disown, get, Problem, text } from './client';

afterEach(() => vi.unstubAllGlobals());

const served = (response: () => Promise<Response>) => vi.stubGlobal('fetch', response);
const lost = () => served(() => Promise.reject(new TypeError('Failed to fetch')));

/** An answer that begins and is cut. */
const cut = () =>
  served(() => {
    const body = new ReadableStream({ start: (control) => control.error(new TypeError('network error')) });
    return Promise.resolve(new Response(body));
  });

describe('a call that is not answered', () => {
  it.each([['lost', lost], ['cut', cut]])('(%s) of a reading says that it is asked again', async (_, happens) => {
    happens();
    await expect(get('/stores')).rejects.toMatchObject({ status: 0, message: expect.stringContaining('asked again') as string });
    await expect(text('/stores/a/logs')).rejects.toMatchObject({ status: 0 });
  });

  it.each([['lost', lost], ['cut', cut]])('(%s) of a change says that it is not sent again', async (_, happens) => {
    happens();
    for (const method of ['POST', 'PATCH', 'DELETE']) {
      const problem = await call(method, '/stores/a').catch((error: unknown) => error);
      expect(problem).toBeInstanceOf(Problem);
      expect((problem as Problem).message).toMatch(/nothing was done.*not sent again/);
    }
  });

  it('is a problem in the words of the service where it has some', async () => {
    served(() => Promise.resolve(new Response('{"detail":"The id is taken","errors":[{"field":"id","rule":"taken"}]}', { status: 409 })));
    await expect(call('POST', '/stores', {})).rejects.toMatchObject({ status: 409, message: 'The id is taken', fields: [{ field: 'id', message: 'taken' }] });
  });

  it('has an answer without content', async () => {
    served(() => Promise.resolve(new Response(null, { status: 204 })));
    await expect(call('DELETE', '/session')).resolves.toBeUndefined();
  });
});

describe('an answer that comes when somebody else is signed in', () => {
  /** Begin something, let somebody else sign in, and only then answer. */
  const overtaken = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    let answer: (response: Response) => void = () => undefined;
    served(() => new Promise((resolve) => (answer = resolve)));
    const asked = ask();
    disown();
    answer(new Response('{"id":"theirs"}'));
    return asked;
  };

  it('is given to nobody', async () => {
    await expect(overtaken(() => call('POST', '/stores', {}))).rejects.toMatchObject({ status: 0, message: expect.stringContaining('Somebody else') as string });
    await expect(overtaken(() => get('/stores/theirs'))).rejects.toBeInstanceOf(Problem);
    await expect(overtaken(() => text('/stores/theirs/logs'))).rejects.toBeInstanceOf(Problem);
  });

  it('is heard where it says who is signed in', async () => {
    await expect(overtaken(() => call('POST', '/session', {}))).resolves.toEqual({ id: 'theirs' });
  });

  it('is heard by whoever asked after that', async () => {
    disown();
    served(() => Promise.resolve(new Response('{"id":"mine"}')));
    await expect(get('/stores/mine')).resolves.toEqual({ id: 'mine' });
  });
});
