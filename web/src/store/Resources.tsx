import { Badge, Text } from '@mantine/core';
import { useMemo } from 'react';

import type { Resource, Store } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { Waiting } from '../ui/Waiting';
import { moment } from '../ui/words';
import { grouped, none } from './resourcesOf';
import { useResources } from './useStore';

const COLOURS: Record<Resource['health'], string> = {
  Healthy: 'teal.6',
  Progressing: 'blue.6',
  Degraded: 'red.6',
  Missing: 'orange.6',
};

export function Resources({ store }: { store: Store }) {
  const resources = useResources(store);
  const groups = useMemo(() => grouped(resources.data ?? []), [resources.data]);
  if (resources.isPending) return <Waiting h={160} part />;
  if (!resources.data) return <Trouble part error={resources.error} again={() => void resources.refetch()} />;
  if (resources.data.length === 0) return <Text c="dimmed">{none(store)}</Text>;
  return (
    <div className="objects" role="table" aria-label="Resources">
      <div role="row" className="object" data-head>
        <span role="columnheader">Kind / namespace / name</span>
        <span role="columnheader">Health</span>
        <span role="columnheader">Says</span>
      </div>
      {groups.map(({ title, items }) => (
        <div key={title} role="rowgroup" aria-label={title}>
          <Text size="xs" c="dimmed" fw={600} mt="md" mb={4} aria-hidden>
            {title}
          </Text>
          {items.map((r) => (
            <One key={`${r.kind}/${r.namespace ?? ''}/${r.name}`} resource={r} leaves={store.phase === 'Deleting'} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** ``leaves``: the store is being deleted, and that something is not there is what was asked for. */
function One({ resource: r, leaves }: { resource: Resource; leaves: boolean }) {
  const gone = leaves && r.health === 'Missing';
  return (
    <div role="row" className="object">
      <Text role="cell" size="sm" style={{ overflowWrap: 'anywhere' }}>
        {r.kind}
        <Text span c="dimmed" inherit>
          {r.namespace === null ? '' : `/${r.namespace}`}/{r.name}
        </Text>
      </Text>
      <span role="cell">
        <Badge color={gone ? 'gray.6' : COLOURS[r.health]} variant="dot" tt="none">
          {gone ? 'Gone' : r.health}
        </Badge>
      </span>
      <div role="cell" className="says">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {gone ? 'It is deleted' : r.message}
        </Text>
        <Events of={`${r.kind} ${r.name}`} events={r.events} />
      </div>
    </div>
  );
}

/** What happened to one object, newest first. */
function Events({ of, events }: { of: string; events: Resource['events'] }) {
  // Without any it is hidden, not gone: when some come again it is open as it was left.
  return (
    <details hidden={events.length === 0}>
      <summary>
        <Text span size="xs">
          {events.length === 1 ? '1 event' : `${events.length} events`}
        </Text>
      </summary>
      <ul className="told" aria-label={`Events of ${of}`}>
        {events.map((e, index) => (
          <li key={`${e.time} ${e.reason} ${index}`}>
            <Text size="xs" c="dimmed">
              {moment(e.time)}{' '}
              <Text span inherit fw={600} c="var(--mantine-color-text)">
                {e.severity !== 'info' && `${e.severity}: `}
                {e.reason}
              </Text>
              {e.object !== null && ` of ${e.object}`}
              {e.count > 1 && ` (${e.count} times)`}
            </Text>
            <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
              {e.message}
            </Text>
          </li>
        ))}
      </ul>
    </details>
  );
}
