/** What an event means for what was read before. Pure, so that recorded streams can be played. */
import type { Entry, Page, Store } from '../api/types';

export interface Listing {
  pages: Page<Store>[];
  pageParams: unknown[];
}

/** The newer of two documents of a store: a resumed stream may repeat an old one. */
export function newer(known: Store, told: Store): Store {
  if (told.createdAt !== known.createdAt) return told.createdAt > known.createdAt ? told : known;
  return told.updatedAt >= known.updatedAt ? told : known;
}

/** Put a store into its place. `null`: it is not in this list (yet), which has to be read again. */
export function withStore(listing: Listing, told: Store): Listing | null {
  let found = false;
  const pages = listing.pages.map((page) => {
    if (!page.items.some((s) => s.id === told.id)) return page;
    found = true;
    return { ...page, items: page.items.map((known) => (known.id === told.id ? newer(known, told) : known)) };
  });
  return found as boolean ? { ...listing, pages } : null;
}

/** What a list was asked for: the service searches and orders. */
export interface Asked {
  q?: string;
  phase?: string | null;
  sort?: string;
}

export const storeIn = (listing: Listing, id: string): Store | undefined =>
  listing.pages.flatMap((page) => page.items).find((store) => store.id === id);

/** Whether a store of such a list may belong elsewhere in it, or no longer into it, by what changed. */
export function isPlacedAnew({ q = '', sort = '' }: Asked, was: Store, told: Store): boolean {
  if (newer(was, told) !== told) return false;
  const differs = (...fields: (keyof Store)[]) => fields.some((field) => was[field] !== told[field]);
  return differs('createdAt') || (q !== '' && differs('name', 'domain')) || differs(sort.replace('-', '') as keyof Store);
}

export function withoutStore(listing: Listing, id: string): Listing {
  const pages = listing.pages.map((page) =>
    page.items.some((s) => s.id === id) ? { ...page, items: page.items.filter((s) => s.id !== id) } : page,
  );
  return { ...listing, pages };
}

/** Add an entry to a timeline, oldest first; one that is there already changes nothing. */
export function withEntry(entries: readonly Entry[], told: Entry): Entry[] {
  const newest = entries[entries.length - 1];
  if (newest === undefined || newest.seq < told.seq) return [...entries, told];
  if (entries.some((e) => e.seq === told.seq)) return [...entries];
  return [...entries, told].sort((a, b) => a.seq - b.seq);
}
