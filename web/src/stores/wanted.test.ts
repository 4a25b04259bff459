import { describe, expect, it } from 'vitest';

import { paramsOf, wantedOf } from './wanted';

const read = (query: string) => wantedOf(new URLSearchParams(query));

describe('an address of the list', () => {
  it('says which stores and in what order, and nothing that is as usual', () => {
    expect(paramsOf({ q: '', phase: null, sort: '-createdAt' }).toString()).toBe('');
    const wanted = { q: 'Süß & Co ', phase: 'Failed', sort: 'name' } as const;
    expect(read(paramsOf(wanted).toString())).toEqual(wanted);
  });

  it.each(['', 'phase=Broken&sort=secret', 'phase=failed&sort=', 'code=1'])('%j is the whole list in its usual order', (query) => {
    expect(read(query)).toEqual({ q: '', phase: null, sort: '-createdAt' });
  });
});
