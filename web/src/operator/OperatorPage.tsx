import { Anchor, Badge, Group, Paper, Progress, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

import { get } from '../api/client';
import { type Overview, PHASES } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { ViewTitle } from '../ui/ViewTitle';
import { bytes, moment, seconds } from '../ui/words';
import { Durations } from './Durations';
import { Lines } from './Lines';
import { Phases } from './Phases';
import { Waiting } from '../ui/Waiting';

/** The past is sampled once a minute; what changes in between, the stream says. */
const EVERY = 60_000;

export default function OperatorPage() {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => get<Overview>('/overview'), refetchInterval: EVERY, staleTime: 10_000 });
  if (overview.isPending) return <Waiting h="50dvh" />;
  if (!overview.data) return <Trouble error={overview.error} again={() => void overview.refetch()} />;
  return <Shown seen={overview.data} />;
}

function Shown({ seen }: { seen: Overview }) {
  const stalest = Object.entries(seen.watch.staleness).sort((a, b) => b[1] - a[1])[0];
  return (
    <Stack>
      <ViewTitle name="Operator">Operator</ViewTitle>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Figure title="Queue" value={seen.queue.due === 0 ? 'empty' : `${seen.queue.due} due`} note={`oldest waits ${seconds(seen.queue.age)}`} />
        <Figure title="API server" value={seen.latency === null ? 'no answer' : `${Math.round(seen.latency * 1000)} ms`} note="time of a small answer" bad={seen.latency === null} />
        <Figure
          title="Watch"
          value={seen.watch.fresh ? 'fresh' : 'stale'}
          note={stalest ? `${stalest[0]} last heard of ${seconds(stalest[1])} ago` : ''}
          bad={!seen.watch.fresh}
        />
        <Figure title="Time to Ready" value={seen.durations.p50 === null ? '–' : seconds(seen.durations.p50)} note={seen.durations.p95 === null ? 'no store was Ready yet' : `95 % within ${seconds(seen.durations.p95)}`} />
      </SimpleGrid>
      <Card title="Stores by phase">
        <Group gap="xs" mb="sm">
          {PHASES.filter((p) => (seen.stores[p] ?? 0) > 0).map((p) => (
            <Badge key={p} variant="light" color="gray" tt="none">
              {p} {seen.stores[p]}
            </Badge>
          ))}
          {Object.values(seen.stores).every((n) => n === 0) && <Text c="dimmed">No stores yet.</Text>}
        </Group>
        <Phases history={seen.history} />
      </Card>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title="Time from request to Ready">
          <Durations durations={seen.durations} />
        </Card>
        <Card title="API server, queue and watch over the day">
          <Lines history={seen.history} />
        </Card>
        <Card title="Capacity">
          <Capacity seen={seen} />
        </Card>
        <Card title="Failures">
          <Failures seen={seen} />
        </Card>
      </SimpleGrid>
    </Stack>
  );
}

function Figure({ title, value, note, bad = false }: { title: string; value: string; note: string; bad?: boolean }) {
  return (
    <Paper withBorder p="md">
      <Text size="xs" c="dimmed">
        {title}
      </Text>
      <Text fz="h3" fw={700} c={bad ? 'var(--mantine-color-error)' : 'var(--mantine-color-text)'}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {note}
      </Text>
    </Paper>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Title order={2} size="h5" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Capacity({ seen }: { seen: Overview }) {
  const { requested, allocatable } = seen.capacity;
  if (allocatable === null)
    return (
      <Text size="sm">
        Stores request {requested.cpu} CPU and {bytes(requested.memory)}. What the nodes have may not be read by this service.
      </Text>
    );
  return (
    <Stack gap="sm">
      <Part name="CPU" share={requested.cpu / allocatable.cpu} words={`${requested.cpu} of ${allocatable.cpu} cores requested`} />
      <Part name="Memory" share={requested.memory / allocatable.memory} words={`${bytes(requested.memory)} of ${bytes(allocatable.memory)} requested`} />
    </Stack>
  );
}

function Part({ name, share, words }: { name: string; share: number; words: string }) {
  const percent = Number.isFinite(share) ? Math.min(100, 100 * share) : 0;
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm">{name}</Text>
        <Text size="sm" c="dimmed">
          {words}
        </Text>
      </Group>
      <Progress value={percent} color={percent > 85 ? 'red' : percent > 65 ? 'orange' : 'teal'} size="lg" aria-label={`${name}: ${words}`} />
    </div>
  );
}

function Failures({ seen }: { seen: Overview }) {
  if (seen.failures.length === 0) return <Text c="dimmed">Nothing failed of what is there.</Text>;
  return (
    <Table aria-label="Failures" layout="fixed">
      <Table.Tbody>
        {seen.failures.map((f) => (
          <Table.Tr key={`${f.store} ${f.revision}`}>
            <Table.Td w="35%">
              <Anchor component={Link} to={`/stores/${f.store}`} style={{ overflowWrap: 'anywhere' }}>
                {f.store}
              </Anchor>
              <Text size="xs" c="dimmed">
                began {moment(f.time)}
              </Text>
            </Table.Td>
            <Table.Td>
              <Text size="sm" lineClamp={3}>
                {f.message}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
