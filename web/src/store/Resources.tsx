import { Badge, Table, Text } from '@mantine/core';
import { useMemo } from 'react';

import type { Resource } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { useResources } from './useStore';
import { Waiting } from '../ui/Waiting';

const COLOURS: Record<Resource['health'], string> = {
  Healthy: 'teal',
  Progressing: 'blue',
  Degraded: 'red',
  Missing: 'orange',
};

/** What belongs together, in the order in which it comes up. */
const GROUPS: readonly [string, readonly string[]][] = [
  ['The namespace and its limits', ['Namespace', 'ResourceQuota', 'LimitRange', 'ServiceAccount', 'Secret']],
  ['Who may speak to whom', ['NetworkPolicy']],
  ['Data', ['PersistentVolumeClaim']],
  ['What runs', ['ConfigMap', 'StatefulSet', 'Deployment', 'CronJob']],
  ['How visitors come in', ['Service', 'Ingress', 'HTTPRoute']],
];

export function Resources({ id }: { id: string }) {
  const resources = useResources(id);
  const groups = useMemo(() => grouped(resources.data ?? []), [resources.data]);
  if (resources.isPending)
    return <Waiting h={160} />;
  if (!resources.data) return <Trouble error={resources.error} again={() => void resources.refetch()} />;
  if (resources.data.length === 0) return <Text c="dimmed">Nothing is in the cluster yet.</Text>;
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
        {groups.map(([title, items]) => (
          <Table.Tbody key={title}>
            <Table.Tr>
              <Table.Th colSpan={3} scope="rowgroup" fz="xs" c="dimmed">
                {title}
              </Table.Th>
            </Table.Tr>
            {items.map((r) => (
              <Table.Tr key={`${r.kind}/${r.namespace ?? ''}/${r.name}`}>
                <Table.Td pl="lg" style={{ overflowWrap: 'anywhere' }}>
                  {r.kind}
                  <Text span c="dimmed" size="sm">
                    {r.namespace === null ? '' : `/${r.namespace}`}/{r.name}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Badge color={COLOURS[r.health]} variant="dot" tt="none">
                    {r.health}
                  </Badge>
                </Table.Td>
                <Table.Td>
                  <Text size="sm">{r.message}</Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        ))}
      </Table>
    </Table.ScrollContainer>
  );
}

function grouped(resources: readonly Resource[]): [string, Resource[]][] {
  const known = new Set(GROUPS.flatMap(([, kinds]) => kinds));
  const found = GROUPS.map(([title, kinds]): [string, Resource[]] => [
    title,
    resources.filter((r) => kinds.includes(r.kind)).sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.name.localeCompare(b.name)),
  ]);
  found.push(['Else', resources.filter((r) => !known.has(r.kind))]);
  return found.filter(([, items]) => items.length > 0);
}
