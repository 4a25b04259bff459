import { describe, expect, it } from 'vitest';

import type { Entry, Store } from '../api/types';
import { isPlacedAnew, newer, withEntry, withoutStore, withStore } from './cache';

const store = (id: string, updatedAt: string, createdAt = '2026-01-01T00:00:00.000Z') => ({ id, updatedAt, createdAt }) as Store;
const entry = (seq: number) => ({ seq }) as Entry;
const listing = (...pages: Store[][]) => ({ pages: pages.map((items) => ({ items, nextCursor: null })), pageParams: [] });

describe('a store that is told', () => {
  it('takes its place on whatever page it is, and leaves the others as they are', () => {
    const before = listing([store('a', '1')], [store('b', '1'), store('c', '1')]);
    const after = withStore(before, store('b', '2'));
    expect(after?.pages[1]?.items.map((s) => s.updatedAt)).toEqual(['2', '1']);
    expect(after?.pages[0]).toBe(before.pages[0]);
  });

  it('is not made old by an event that comes again', () => {
    const after = withStore(listing([store('a', '2026-01-02')]), store('a', '2026-01-01'));
    expect(after?.pages[0]?.items[0]?.updatedAt).toBe('2026-01-02');
  });

  it('is another one when it was deleted and made anew', () => {
    const old = store('a', '2026-01-09', '2026-01-01');
    const made = store('a', '2026-01-05', '2026-01-05');
    expect(newer(old, made)).toBe(made);
    expect(newer(made, old)).toBe(made);
  });

  it('is asked for when the list does not have it', () => {
    expect(withStore(listing([store('a', '1')]), store('b', '1'))).toBeNull();
  });

  it('leaves when it is deleted', () => {
    expect(withoutStore(listing([store('a', '1'), store('b', '1')]), 'a').pages[0]?.items.map((s) => s.id)).toEqual(['b']);
  });
});

describe('the place of a store in a list', () => {
  const was = { ...store('a', '1'), name: 'Acme', domain: null, phase: 'Provisioning' } as Store;
  const told = (change: Partial<Store>): Store => ({ ...was, updatedAt: '2', ...change });

  it.each([
    ['no order or search by what changed', { sort: '-createdAt', q: '' }, { name: 'B', phase: 'Ready' }, false],
    ['ordered by its new name', { sort: 'name', q: '' }, { name: 'B' }, true],
    ['ordered by its old name', { sort: 'name', q: '' }, { phase: 'Ready' }, false],
    ['ordered by its new phase', { sort: 'phase', q: '' }, { phase: 'Ready' }, true],
    ['the last changed first', { sort: '-updatedAt', q: '' }, {}, true],
    ['searched by its new name', { sort: '-createdAt', q: 'acme' }, { name: 'B' }, true],
    ['searched by its new domain', { sort: '-createdAt', q: 'acme' }, { domain: 'b.example.com' }, true],
    ['searched, and changed otherwise', { sort: '-createdAt', q: 'acme' }, { phase: 'Ready' }, false],
    ['told what is older', { sort: 'name', q: '' }, { name: 'B', updatedAt: '0' }, false],
  ] as [string, object, Partial<Store>, boolean][])('%s', (_, asked, change, anew) => {
    expect(isPlacedAnew(asked, was, told(change))).toBe(anew);
  });
});

describe('a timeline', () => {
  it('stays in order and holds each entry once', () => {
    let known: Entry[] = [];
    for (const seq of [3, 5, 4, 5, 3, 9]) known = withEntry(known, entry(seq));
    expect(known.map((e) => e.seq)).toEqual([3, 4, 5, 9]);
  });
});
