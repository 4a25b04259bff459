import { QueryClient } from '@tanstack/react-query';
import { afterEach, expect, it, vi } from 'vitest';

import { call } from '../api/client';
import type { Me } from '../api/types';
import { identityOf, readMe, take } from './person';

const person = (user: string, tokenId = 't1', stores = 0): Me => ({
  user, tokenId, role: 'member', limits: { stores: 3, requests: null }, use: { stores }, baseDomain: 'example.com', sandbox: true,
});

afterEach(() => vi.unstubAllGlobals());

const seen = (): QueryClient => {
  const client = new QueryClient();
  take(client, person('jane'));
  client.setQueryData(['stores', {}], 'of jane');
  return client;
};
const answer = (me: Me) => vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(me))));

it.each([person('john'), person('jane', 't2')])('forgets what was seen when somebody else is signed in', async (other) => {
  const client = seen();
  answer(other);
  await expect(readMe(client)).resolves.toEqual(other);
  expect(client.getQueryData(['stores', {}])).toBeUndefined();
  expect(client.getQueryData(['me'])).toEqual(person('jane')); // which is the reading's to change
  const signedIn = seen();
  take(signedIn, other);
  expect(signedIn.getQueryData(['stores', {}])).toBeUndefined();
  expect(signedIn.getQueryData(['me'])).toEqual(other);
});

it('keeps it for the same person, whatever they have by now', async () => {
  const client = seen();
  answer(person('jane', 't1', 2));
  expect(identityOf(await readMe(client))).toBe(identityOf(person('jane')));
  expect(client.getQueryData(['stores', {}])).toBe('of jane');
});

it('forgets it when the session ended', async () => {
  const client = seen();
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{}', { status: 401 })));
  await expect(readMe(client)).rejects.toMatchObject({ status: 401 });
  expect(client.getQueryData(['stores', {}])).toBeUndefined();
});

it.each([['somebody else', person('john')], ['the same person', person('jane', 't1', 2)]])('what is on its way is only theirs who asked: %s is signed in', async (_, now) => {
  const client = seen();
  let made: (response: Response) => void = () => undefined;
  vi.stubGlobal('fetch', (path: string) =>
    path.endsWith('/me') ? Promise.resolve(new Response(JSON.stringify(now))) : new Promise((resolve) => (made = resolve)),
  );
  const making = call('POST', '/stores', {}).then(
    () => 'given',
    () => 'kept',
  );
  await readMe(client);
  made(new Response('{"id":"bakery"}', { status: 201 }));
  await expect(making).resolves.toBe(now.user === 'jane' ? 'given' : 'kept');
});
