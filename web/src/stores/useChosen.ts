import { useEffect, useState } from 'react';

import type { Store } from '../api/types';
import { placeOf, remember } from './place';
import type { StoreList } from './useStores';

export interface Choice {
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
  /** The rest of the list is being read, to be chosen. */
  gathering: boolean;
  /** Choose every store of the list, also those that are not read yet. */
  gather: () => void;
}

/** Which stores of a list are chosen. `name` stands for the list: another one is not gathered by itself; `entry` is that of the history. */
export function useChosen(name: string, list: StoreList, stores: readonly Store[], entry: string): Choice {
  const [chosen, setChosen] = useState(() => placeOf(entry).chosen);
  const [wanted, want] = useState<string | null>(null);
  const gathering = wanted === name;
  const { hasNextPage, isFetching, isFetchNextPageError, isPlaceholderData, fetchNextPage } = list;
  if (wanted !== null && (!gathering || isFetchNextPageError)) want(null);
  else if (gathering && !hasNextPage && !isPlaceholderData) {
    want(null);
    setChosen(idsOf(stores));
  }
  useEffect(() => {
    if (gathering && hasNextPage && !isFetching) void fetchNextPage();
  }, [gathering, hasNextPage, isFetching, fetchNextPage]);
  useEffect(() => remember(entry, { chosen }), [entry, chosen]);
  const choose = (those: ReadonlySet<string>) => {
    want(null);
    setChosen(those);
  };
  return { chosen, choose, gathering, gather: () => want(name) };
}

const idsOf = (stores: readonly Store[]): ReadonlySet<string> => new Set(stores.map((s) => s.id));
