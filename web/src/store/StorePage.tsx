import { Alert, Anchor, Badge, Button, Center, CopyButton, Group, Paper, SimpleGrid, Stack, Tabs, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';

import { call, Problem, sentence } from '../api/client';
import type { Store } from '../api/types';
import { PhaseBadge } from '../ui/PhaseBadge';
import { Trouble } from '../ui/Trouble';
import { ViewTitle } from '../ui/ViewTitle';
import { moment } from '../ui/words';
import { Credentials } from './Credentials';
import { DeleteStore } from './DeleteStore';
import { EditStore } from './EditStore';
import { Evidence } from './Evidence';
import { FailedRevisions } from './FailedRevisions';
import { Logs } from './Logs';
import { Resources } from './Resources';
import { Steps } from './Steps';
import { Timeline } from './Timeline';
import { useStore } from './useStore';
import { Waiting } from '../ui/Waiting';

export default function StorePage() {
  const { id = '' } = useParams();
  const store = useStore(id);
  if (store.isPending) return <Waiting h="50dvh" />;
  if (store.error instanceof Problem && store.error.status === 404)
    return store.data ? <Gone store={store.data} /> : <Trouble error={new Problem(404, `There is no store “${id}”, or not any more.`)} />;
  if (!store.data) return <Trouble error={store.error} again={() => void store.refetch()} />;
  return <Shown key={id} store={store.data} />;
}

/** What is seen of a store that was there a moment ago. */
function Gone({ store }: { store: Store }) {
  return (
    <Center mih="40dvh" p="md">
      <Stack align="center" maw={480}>
        <ViewTitle name={`${store.name} is gone`} size="h4" ta="center" style={{ overflowWrap: 'anywhere' }}>
          “<bdi>{store.name}</bdi>” is gone
        </ViewTitle>
        <Text c="dimmed" ta="center">
          The store was deleted, with everything in it.
        </Text>
        <Button component={Link} to="/stores">
          To the stores
        </Button>
      </Stack>
    </Center>
  );
}

const SERVES = new Set(['Ready', 'Degraded', 'Upgrading', 'RollingBack']);

function Shown({ store }: { store: Store }) {
  return (
    <Stack>
      <Anchor component={Link} to="/stores" size="sm">
        ← Stores
      </Anchor>
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0, flex: '1 1 18rem' }}>
          <Group gap="sm">
            <ViewTitle name={store.name} style={{ overflowWrap: 'anywhere' }}>
              {store.name}
            </ViewTitle>
            <PhaseBadge phase={store.phase} />
          </Group>
          <Text c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }} data-testid="message">
            {store.message}
          </Text>
        </div>
        <Actions store={store} />
      </Group>
      <Facts store={store} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Paper withBorder p="md" component="section" aria-label="Progress">
          <Steps store={store} />
        </Paper>
        <Paper withBorder p="md" component="section" aria-label="Credentials">
          <Credentials store={store} />
        </Paper>
      </SimpleGrid>
      {store.phase === 'Failed' && <Evidence store={store} />}
      <FailedRevisions store={store} />
      <Paper withBorder p="md">
        <Tabs defaultValue="timeline" keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
            <Tabs.Tab value="resources">Resources</Tabs.Tab>
            <Tabs.Tab value="logs">Logs</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="timeline">
            <Timeline id={store.id} />
          </Tabs.Panel>
          <Tabs.Panel value="resources">
            <Resources store={store} />
          </Tabs.Panel>
          <Tabs.Panel value="logs">
            <Logs id={store.id} />
          </Tabs.Panel>
        </Tabs>
      </Paper>
    </Stack>
  );
}

function Actions({ store }: { store: Store }) {
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: () => call<Store>('POST', `/stores/${store.id}/retry`),
    onSuccess: (told) => client.setQueryData(['store', store.id], told),
  });
  const serves = SERVES.has(store.phase);
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs">
        {serves && (
          <Button component="a" href={store.url} target="_blank" rel="noreferrer" size="sm">
            Open shop ↗
          </Button>
        )}
        {serves && (
          <Button component="a" href={store.adminUrl} target="_blank" rel="noreferrer" size="sm" variant="default">
            Open admin ↗
          </Button>
        )}
        {store.phase === 'Failed' && (
          <Button size="sm" loading={retry.isPending} onClick={() => retry.mutate()}>
            Retry
          </Button>
        )}
        {store.phase !== 'Deleting' && <EditStore store={store} />}
        {store.phase !== 'Deleting' && <DeleteStore store={store} />}
      </Group>
      {retry.isError && (
        <Alert color="red" role="alert" py="xs">
          {sentence(retry.error)}
        </Alert>
      )}
    </Stack>
  );
}

function Facts({ store }: { store: Store }) {
  const facts: [string, string][] = [
    ['Id', store.id],
    ['Plan', store.plan],
    ['Engine', store.engine],
    ['Owner', store.owner],
    ['Revision', store.revision === 0 ? 'none yet' : String(store.revision)],
    ['Made', moment(store.createdAt)],
    ['WordPress', store.versions.wordpress],
    ['MySQL', store.versions.mysql],
  ];
  return (
    <Paper withBorder p="md">
      <Group justify="space-between" mb="sm" gap="xs">
        <Anchor href={store.url} target="_blank" rel="noreferrer" style={{ overflowWrap: 'anywhere' }}>
          {store.url}
        </Anchor>
        <CopyButton value={store.url}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy address'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="xs" component="dl" m={0}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <Text component="dt" size="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} size="sm" style={{ overflowWrap: 'anywhere' }}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
      {store.observedGeneration < store.generation && (
        <Badge mt="sm" color="blue" variant="light" tt="none">
          A change is on its way
        </Badge>
      )}
    </Paper>
  );
}
