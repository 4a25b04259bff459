/** Reads again what events made old: once at the first of many, then at a pace, and once after the last. */
import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';

/** At least so long from one reading to the next. */
const FLOOR = 2_000;
/** The operator's overview counts all stores, which is work for the service. */
const FLOORS: Readonly<Record<string, number>> = { overview: 10_000 };

interface Reading {
  began: number;
  wanted: boolean;
  timer: ReturnType<typeof setTimeout> | null;
}

export class Again {
  private readonly readings = new Map<string, Reading>();
  constructor(private readonly client: QueryClient) {}

  /** What was read under this very key is old. */
  read(key: QueryKey): void {
    if (this.client.getQueryState(key) === undefined) return; // nobody has read it
    const name = JSON.stringify(key);
    const known = this.readings.get(name);
    if (known) known.wanted = true;
    else this.begin(name, key);
  }

  stop(): void {
    for (const { timer } of this.readings.values()) if (timer) clearTimeout(timer);
    this.readings.clear();
  }

  private begin(name: string, key: QueryKey): void {
    const reading: Reading = { began: Date.now(), wanted: false, timer: null };
    this.readings.set(name, reading);
    // A reading that somebody waits for goes on; what came meanwhile is read after it.
    const underWay = this.client.getQueryState(key)?.fetchStatus === 'fetching';
    void this.client.invalidateQueries({ queryKey: key, exact: true }, { cancelRefetch: false }).finally(() => {
      if (this.readings.get(name) !== reading) return;
      reading.wanted ||= underWay;
      const rest = Math.max(0, reading.began + this.floor(key) - Date.now());
      reading.timer = setTimeout(() => this.after(name, key, reading), rest);
    });
  }

  private after(name: string, key: QueryKey, reading: Reading): void {
    this.readings.delete(name);
    if (reading.wanted) this.begin(name, key);
  }

  /** A list is read page by page: one of fifty pages comes up fifty times as rarely. */
  private floor(key: QueryKey): number {
    const pages = this.client.getQueryData<Partial<InfiniteData<unknown>>>(key)?.pages?.length ?? 1;
    return (FLOORS[String(key[0])] ?? FLOOR) * Math.max(1, pages);
  }
}
