import { describe, expect, it } from 'vitest';

import { limitReached, storesLeft } from './limits';

describe('what is left of the limit', () => {
  it.each([
    [0, null, 'No limit on stores'],
    [1, 3, '2 of 3 left'],
    [3, 3, '0 of 3 left'],
    [3, 1, '3 of 1: over the limit'],
  ])('of %j stores and a limit of %j is %j', (stores, limit, words) => {
    expect(storesLeft({ use: { stores }, limits: { stores: limit, requests: null } })).toBe(words);
  });
});

it('is told without names of settings when there is nothing left', () => {
  const words = limitReached({ limits: { stores: 3, requests: null } });
  expect(words).toContain('(3)');
  expect(words).not.toContain('URUMI');
});
