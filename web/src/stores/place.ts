/** Where somebody was in a list, by the entry of the browser's history: whoever goes back finds it again. */
import type { VirtualItem } from '@tanstack/react-virtual';

export interface Place {
  offset: number;
  /** Rows that were measured: offsets count from them. */
  rows: VirtualItem[];
  chosen: ReadonlySet<string>;
}

const MOST = 20;
const TOP: Place = { offset: 0, rows: [], chosen: new Set() };
const places = new Map<string, Place>();

/** The place of an entry; the top, with nothing chosen, for a new one. */
export const placeOf = (entry: string): Place => places.get(entry) ?? TOP;

export function remember(entry: string, change: Partial<Place>): void {
  const place = { ...placeOf(entry), ...change };
  places.delete(entry); // the latest last
  places.set(entry, place);
  const [oldest] = places.keys();
  if (places.size > MOST && oldest !== undefined) places.delete(oldest);
}
