/** The one act on many stores that may be under way, for all views. */
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import { Bulk, type BulkState } from './bulk';

const Run = createContext<Bulk | null>(null);

export function BulkRun({ children }: { children: ReactNode }) {
  const [bulk] = useState(() => new Bulk());
  const running = useSyncExternalStore(bulk.subscribe, () => bulk.snapshot()?.running ?? false);
  useEffect(() => () => bulk.stop(), [bulk]);
  useEffect(() => {
    if (!running) return undefined;
    // It ends with the page: the browser asks before that.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [running]);
  return <Run.Provider value={bulk}>{children}</Run.Provider>;
}

export function useBulk(): [BulkState | null, Bulk] {
  const bulk = useContext(Run);
  if (bulk === null) throw new Error('There is no BulkRun above this');
  return [useSyncExternalStore(bulk.subscribe, bulk.snapshot), bulk];
}
