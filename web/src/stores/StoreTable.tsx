import { ActionIcon, Anchor, Checkbox, Progress, Text, Tooltip } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';

import type { Store } from '../api/types';
import { PhaseBadge } from '../ui/PhaseBadge';
import { useNow } from '../ui/useNow';
import { age } from '../ui/words';
import { placeOf, remember } from './place';

type Choose = (chosen: ReadonlySet<string>) => void;

interface Props {
  /** Of the history: how far one was in it is kept there. */
  entry: string;
  /** These are of what was wanted before. */
  old: boolean;
  stores: readonly Store[];
  chosen: ReadonlySet<string>;
  choose: Choose;
  more: (() => void) | null;
  /** These are all that there are. */
  whole: boolean;
}

/** Any number of rows: only those in sight are there, and the next page is read before its time. */
export function StoreTable({ entry, old, stores, chosen, choose, more, whole }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [place] = useState(() => placeOf(entry));
  const now = useNow(15_000);
  // eslint-disable-next-line react-hooks/incompatible-library -- the rows are drawn here, not memoised
  const rows = useVirtualizer({
    count: stores.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 58,
    overscan: 12,
    getItemKey: (index) => stores[index]?.id ?? index,
    initialOffset: place.offset,
    initialMeasurementsCache: place.rows,
  });
  useEffect(() => () => remember(entry, { rows: rows.takeSnapshot() }), [entry, rows]);
  const shown = rows.getVirtualItems();
  const last = shown[shown.length - 1]?.index ?? 0;
  useEffect(() => {
    if (more && last >= stores.length - 40) more();
  }, [last, more, stores.length]);
  const all = stores.length > 0 && stores.every((s) => chosen.has(s.id));
  const some = stores.some((s) => chosen.has(s.id));
  return (
    <div role="table" aria-label="Stores" data-old={old || undefined} aria-rowcount={whole ? stores.length + 1 : -1}>
      <div className="row" data-head role="row" aria-rowindex={1}>
        <span role="columnheader">
          <Checkbox
            size="xs"
            aria-label="Choose all"
            checked={all}
            indeterminate={some && !all}
            onChange={() => choose(all ? new Set() : new Set(stores.map((s) => s.id)))}
          />
        </span>
        <span role="columnheader">Store</span>
        <span role="columnheader">State</span>
        <span role="columnheader">Plan</span>
        <span role="columnheader">Owner</span>
        <span role="columnheader">Age</span>
        <span role="columnheader">Shop</span>
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1 */}
      <div ref={frame} className="scroll" role="rowgroup" tabIndex={0} aria-label="Rows" onScroll={(e) => remember(entry, { offset: e.currentTarget.scrollTop })}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {shown.map((item) => {
            const store = stores[item.index];
            return store ? (
              <div
                key={item.key}
                ref={rows.measureElement}
                data-index={item.index}
                role="presentation"
                style={{ position: 'absolute', insetInline: 0, transform: `translateY(${item.start}px)` }}
              >
                <Row store={store} index={item.index} chosen={chosen.has(store.id)} age={age(store.createdAt, now)} choose={(on) => choose(toggled(chosen, store.id, on))} />
              </div>
            ) : null;
          })}
        </div>
      </div>
    </div>
  );
}

function toggled(chosen: ReadonlySet<string>, id: string, on: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  if (on) next.add(id);
  else next.delete(id);
  return next;
}

interface RowProps {
  store: Store;
  index: number;
  chosen: boolean;
  age: string;
  choose: (on: boolean) => void;
}

const Row = memo(function Row({ store, index, chosen, age: old, choose }: RowProps) {
  const busy = !['Ready', 'Failed', 'Hibernated', 'Degraded'].includes(store.phase);
  return (
    <div className="row" role="row" aria-rowindex={index + 2} data-store={store.id}>
      <span role="cell">
        <Checkbox size="xs" aria-label={`Choose ${store.name}`} checked={chosen} onChange={(e) => choose(e.currentTarget.checked)} />
      </span>
      <span role="cell" className="cut">
        <Anchor component={Link} to={`/stores/${store.id}`} fw={600} c="var(--mantine-color-text)" title={store.name}>
          {store.name}
        </Anchor>
        <Text size="xs" c="dimmed" className="cut" title={store.id}>
          {store.id}
        </Text>
      </span>
      <span role="cell" className="says">
        <PhaseBadge phase={store.phase} />
        {busy && store.phase !== 'Deleting' ? (
          <Progress mt={6} size="sm" value={(100 * store.progress.done) / store.progress.total} aria-label={`${store.progress.done} of ${store.progress.total} steps`} />
        ) : null}
        <Text size="xs" c="dimmed" mt={4} className="cut" title={store.message}>
          {store.message}
        </Text>
      </span>
      <Text role="cell" className="side" size="sm">
        {store.plan}
      </Text>
      <Text role="cell" className="side cut" size="sm" title={store.owner}>
        {store.owner}
      </Text>
      <Text role="cell" className="side age" size="sm">
        {old}
      </Text>
      <span role="cell" className="open">
        <Tooltip label={store.url}>
          <ActionIcon component="a" href={store.url} target="_blank" rel="noreferrer" variant="subtle" color="gray" aria-label={`Open the shop of ${store.name}`}>
            ↗
          </ActionIcon>
        </Tooltip>
      </span>
    </div>
  );
});
