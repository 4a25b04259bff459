import { Alert, Button, Center, Group, Loader, Modal, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { lazy, Suspense, useState } from 'react';

import { sentence } from '../api/client';
import { type Me, PHASES, type Phase } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { BulkBar } from './BulkBar';
import { StoreTable } from './StoreTable';
import { useStores, type Wanted } from './useStores';
import { Waiting } from '../ui/Waiting';

const CreateStore = lazy(() => import('./CreateStore'));

const SORTS = [
  { value: '-createdAt', label: 'Newest first' },
  { value: 'createdAt', label: 'Oldest first' },
  { value: 'name', label: 'By name' },
  { value: 'phase', label: 'By phase' },
  { value: '-updatedAt', label: 'Changed last' },
];

export function StoresPage({ me }: { me: Me }) {
  const [search, setSearch] = useState('');
  const [q] = useDebouncedValue(search.trim(), 250);
  const [phase, setPhase] = useState<Phase | null>(null);
  const [sort, setSort] = useState('-createdAt');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [creating, create] = useDisclosure(false);
  const wanted: Wanted = { q, phase, sort };
  const list = useStores(wanted);
  const stores = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">
          Stores
        </Title>
        <Button onClick={create.open}>New store</Button>
      </Group>
      <Group>
        <TextInput
          aria-label="Search"
          placeholder="Search id, name or domain"
          type="search"
          value={search}
          onChange={(e) => setSearch(e.currentTarget.value)}
          flex="1 1 14rem"
        />
        <Select
          aria-label="Phase"
          placeholder="All phases"
          clearable
          data={[...PHASES]}
          value={phase}
          onChange={(value) => setPhase(value)}
          w={170}
        />
        <Select aria-label="Order" data={SORTS} value={sort} onChange={(value) => setSort(value ?? '-createdAt')} allowDeselect={false} w={170} />
      </Group>
      <BulkBar stores={stores} chosen={chosen} choose={setChosen} />
      <Paper withBorder>
        {list.isPending ? <Waiting h="20rem" /> : list.isError && stores.length === 0 ? (
          <Trouble error={list.error} again={() => void list.refetch()} />
        ) : stores.length === 0 ? (
          <Nothing searching={q !== '' || phase !== null} create={create.open} />
        ) : (
          <StoreTable
            stores={stores}
            chosen={chosen}
            choose={setChosen}
            more={list.hasNextPage && !list.isFetchingNextPage && !list.isFetchNextPageError ? () => void list.fetchNextPage() : null}
          />
        )}
      </Paper>
      {list.isError && stores.length > 0 && (
        <Alert color="orange" role="alert">
          <Group justify="space-between">
            <Text size="sm">The list may be incomplete: {sentence(list.error)}</Text>
            <Button size="xs" variant="default" onClick={() => void (list.isFetchNextPageError ? list.fetchNextPage() : list.refetch())}>
              Read on
            </Button>
          </Group>
        </Alert>
      )}
      <Modal opened={creating} onClose={create.close} title="New store" size="lg">
        <Suspense fallback={<Loader aria-label="Loading" />}>{creating && <CreateStore me={me} close={create.close} />}</Suspense>
      </Modal>
    </Stack>
  );
}

function Nothing({ searching, create }: { searching: boolean; create: () => void }) {
  return (
    <Center h="20rem" p="md">
      <Stack align="center" gap="xs">
        <Text fw={600}>{searching ? 'No store is like that' : 'No stores yet'}</Text>
        <Text c="dimmed" ta="center">
          {searching ? 'Try fewer letters, or another phase.' : 'A store takes a name and about half a minute.'}
        </Text>
        {!searching && (
          <Button onClick={create} mt="xs">
            Make the first one
          </Button>
        )}
      </Stack>
    </Center>
  );
}
