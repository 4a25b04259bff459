import { Alert, Button, Center, Group, NativeSelect, Paper, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';

import { sentence } from '../api/client';
import { PHASES } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { ViewTitle } from '../ui/ViewTitle';
import { Waiting } from '../ui/Waiting';
import { BulkBar } from './BulkBar';
import { ListLine } from './ListLine';
import { useNewStore } from './NewStore';
import { StoreTable } from './StoreTable';
import { useChosen } from './useChosen';
import { useStores } from './useStores';
import { paramsOf, SORTS, type Wanted, wantedOf } from './wanted';

const SETTLED = 250;

/** What is wanted, by the address; the search is written there when the typing settles. */
function useWanted() {
  const [params, setParams] = useSearchParams();
  const wanted = wantedOf(params);
  const [search, setText] = useState(wanted.q);
  const [seen, setSeen] = useState(wanted.q);
  const [written, setWritten] = useState<string | null>(null);
  if (seen !== wanted.q) {
    setSeen(wanted.q);
    setWritten(null);
    // Somebody went back or forth. What is typed while our own writing arrives is not taken away.
    if (wanted.q !== written) setText(wanted.q);
  }
  const want = (change: Partial<Wanted>, replace = false) => {
    setParams((known) => paramsOf({ ...wantedOf(known), ...change }), { replace });
  };
  const settle = useDebouncedCallback((q: string) => {
    setWritten(q);
    // One step back is the list before the search, not a letter less.
    want({ q }, wanted.q !== '' && q !== '');
  }, SETTLED);
  const setSearch = (q: string) => {
    setText(q);
    settle(q);
  };
  return { wanted, search, setSearch, want };
}

export default function StoresPage() {
  const { wanted, search, setSearch, want } = useWanted();
  const { q, phase, sort } = wanted;
  const { key: entry } = useLocation();
  const { open: create } = useNewStore();
  const list = useStores({ q: q.trim(), phase, sort });
  const stores = list.data?.pages.flatMap((page) => page.items) ?? [];
  const choice = useChosen(JSON.stringify([q.trim(), phase, sort]), list, stores, entry);
  return (
    <Stack>
      <Group justify="space-between">
        <ViewTitle name="Stores">Stores</ViewTitle>
        <Button onClick={create}>New store</Button>
      </Group>
      <Group>
        <TextInput
          aria-label="Search"
          placeholder="Search id, name or domain"
          type="search"
          value={search}
          onChange={(e) => setSearch(e.currentTarget.value)}
          flex="100 1 14rem"
        />
        <NativeSelect
          aria-label="Phase"
          data={[{ value: '', label: 'All phases' }, ...PHASES]}
          value={phase ?? ''}
          onChange={(e) => want({ phase: PHASES.find((p) => p === e.currentTarget.value) ?? null })}
          flex="1 1 9rem"
          maw={{ sm: 170 }}
        />
        <NativeSelect aria-label="Order" data={SORTS} value={sort} onChange={(e) => want({ sort: e.currentTarget.value })} flex="1 1 9rem" maw={{ sm: 170 }} />
      </Group>
      <BulkBar stores={stores} chosen={choice.chosen} choose={choice.choose} />
      <Paper withBorder aria-busy={list.isPlaceholderData}>
        {stores.length > 0 && <ListLine list={list} stores={stores} choice={choice} />}
        {list.isPending ? <Waiting h="20rem" part /> : list.data === undefined ? (
          <Trouble error={list.error} again={() => void list.refetch()} />
        ) : stores.length === 0 ? (
          <Nothing searching={q.trim() !== '' || phase !== null} create={create} />
        ) : (
          <StoreTable
            key={entry}
            entry={entry}
            old={list.isPlaceholderData}
            stores={stores}
            chosen={choice.chosen}
            choose={choice.choose}
            whole={!list.hasNextPage}
            more={list.hasNextPage && !list.isFetchingNextPage && !list.isFetchNextPageError ? () => void list.fetchNextPage() : null}
          />
        )}
      </Paper>
      {list.isFetchNextPageError && (
        <Alert color="orange" role="alert">
          <Group justify="space-between">
            <Text size="sm">The list is not whole: {sentence(list.error)}</Text>
            <Button size="xs" variant="default" onClick={() => void list.fetchNextPage()}>
              Read on
            </Button>
          </Group>
        </Alert>
      )}
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
