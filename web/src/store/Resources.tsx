import { Badge, Table, Text } from '@mantine/core';
import { useMemo } from 'react';

import type { Resource, Store } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { Waiting } from '../ui/Waiting';
import { moment } from '../ui/words';
import { type EventTold, grouped, none } from './resourcesOf';
import { useResources } from './useStore';

const COLOURS: Record<Resource['health'], string> = {
  Healthy: 'teal',
  Progressing: 'blue',
  Degraded: 'red',
  Missing: 'orange',
};

export function Resources({ store }: { store: Store }) {
  const resources = useResources(store.id);
  const groups = useMemo(() => grouped(resources.data ?? []), [resources.data]);
  if (resources.isPending) return <Waiting h={160} />;
  if (!resources.data) return <Trouble part error={resources.error} again={() => void resources.refetch()} />;
  if (resources.data.length === 0) return <Text c="dimmed">{none(store)}</Text>;
  return (
    <Table.ScrollContainer minWidth={520} type="native" tabIndex={0} role="region" aria-label="Table of resources">
      <Table verticalSpacing={6} aria-label="Resources">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Kind / namespace / name</Table.Th>
            <Table.Th>Health</Table.Th>
            <Table.Th>Says</Table.Th>
          </Table.Tr>
        </Table.Thead>
        {groups.map(({ title, items }) => (
          <Table.Tbody key={title}>
            <Table.Tr>
              <Table.Th colSpan={3} scope="rowgroup" fz="xs" c="dimmed">
                {title}
              </Table.Th>
            </Table.Tr>
            {items.map((r) => (
              <Table.Tr key={`${r.kind}/${r.namespace ?? ''}/${r.name}`}>
                <Table.Td pl="lg" style={{ overflowWrap: 'anywhere', verticalAlign: 'top' }}>
                  {r.kind}
                  <Text span c="dimmed" size="sm">
                    {r.namespace === null ? '' : `/${r.namespace}`}/{r.name}
                  </Text>
                </Table.Td>
                <Table.Td style={{ verticalAlign: 'top' }}>
                  <Badge color={COLOURS[r.health]} variant="dot" tt="none">
                    {r.health}
                  </Badge>
                </Table.Td>
                <Table.Td style={{ verticalAlign: 'top' }}>
                  <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                    {r.message}
                  </Text>
                  <Events of={`${r.kind} ${r.name}`} events={r.events} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        ))}
      </Table>
    </Table.ScrollContainer>
  );
}

/** What Kubernetes told of one object, newest first. */
function Events({ of, events }: { of: string; events: readonly EventTold[] }) {
  if (events.length === 0) return null;
  return (
    <details>
      <summary>
        <Text span size="xs">
          {events.length === 1 ? '1 event' : `${events.length} events`}
        </Text>
      </summary>
      <ul className="told" aria-label={`Events of ${of}`}>
        {events.map((e, index) => (
          <li key={`${e.time} ${e.reason} ${index}`}>
            <Text size="xs" c="dimmed">
              {e.time === '' ? '' : moment(e.time)}{' '}
              <Text span inherit fw={600} c={e.type === 'Warning' ? 'var(--mantine-color-text)' : 'dimmed'}>
                {e.type === 'Warning' && '! '}
                {e.reason}
              </Text>
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
