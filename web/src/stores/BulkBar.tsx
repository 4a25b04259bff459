import { Button, Group, Modal, Paper, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type SyntheticEvent, useState } from 'react';

import type { Store } from '../api/types';
import type { Act } from './bulk';
import { useBulk } from './BulkRun';

interface Props {
  stores: readonly Store[];
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
}

/** What can be done to the chosen stores. */
export function BulkBar({ stores, chosen, choose }: Props) {
  const [state, bulk] = useBulk();
  const [asking, ask] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const those = stores.filter((s) => chosen.has(s.id));
  const failed = those.filter((s) => s.phase === 'Failed');
  const busy = state?.running ?? false;
  const run = (act: Act, ids: readonly string[]) => {
    ask.close();
    choose(new Set());
    void bulk.start(act, ids);
  };
  const open = () => {
    setTyped(''); // what was typed for another choice confirms nothing
    ask.open();
  };
  const sure = typed === String(those.length) && !busy;
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (sure) run('delete', those.map((s) => s.id));
  };
  if (those.length === 0) return null;
  return (
    <Paper withBorder p="xs" role="region" aria-label="Chosen stores">
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {those.length} chosen
        </Text>
        <Group gap="xs">
          <Button size="xs" variant="default" disabled={busy || failed.length === 0} onClick={() => run('retry', failed.map((s) => s.id))}>
            Retry {failed.length} failed
          </Button>
          <Button size="xs" color="red" variant="outline" disabled={busy} onClick={open}>
            Delete
          </Button>
          <Button size="xs" variant="subtle" color="gray" onClick={() => choose(new Set())}>
            Choose none
          </Button>
        </Group>
      </Group>
      <Modal opened={asking} onClose={ask.close} title={those.length === 1 ? 'Delete one store?' : `Delete ${those.length} stores?`}>
        <form onSubmit={send}>
          <Stack>
            <Text size="sm">Shops, orders, files and passwords go with them, and do not come back.</Text>
            <TextInput label={`Type ${those.length} to confirm`} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" data-autofocus />
            <Button type="submit" color="red" disabled={!sure}>
              Delete them
            </Button>
          </Stack>
        </form>
      </Modal>
    </Paper>
  );
}
