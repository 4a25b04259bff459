import { Alert, Button, Group, List, Modal, Paper, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';

import type { Store } from '../api/types';
import { type Act, bulk, type BulkState } from './bulk';

interface Props {
  stores: readonly Store[];
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
}

/** What can be done to the chosen stores, and how far it is. */
export function BulkBar({ stores, chosen, choose }: Props) {
  const [state, setState] = useState<BulkState | null>(null);
  const [asking, ask] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const those = stores.filter((s) => chosen.has(s.id));
  const failed = those.filter((s) => s.phase === 'Failed');
  const busy = state !== null && state.done < state.total;
  const run = async (act: Act, ids: readonly string[]) => {
    ask.close();
    setTyped('');
    setState({ done: 0, total: ids.length, problems: [] });
    const end = await bulk(act, ids, setState);
    if (end.problems.length === 0) setState(null);
    choose(new Set(end.problems.map((p) => p.id)));
  };
  if (those.length === 0 && state === null) return null;
  return (
    <Paper withBorder p="xs" role="region" aria-label="Chosen stores">
      <Stack gap="xs">
        <Group justify="space-between">
          <Text size="sm" fw={600}>
            {busy ? `${state.done} of ${state.total} done` : `${those.length} chosen`}
          </Text>
          <Group gap="xs">
            <Button size="xs" variant="default" disabled={busy || failed.length === 0} onClick={() => void run('retry', failed.map((s) => s.id))}>
              Retry {failed.length} failed
            </Button>
            <Button size="xs" color="red" variant="outline" disabled={busy || those.length === 0} onClick={ask.open}>
              Delete
            </Button>
            <Button size="xs" variant="subtle" color="gray" disabled={busy} onClick={() => { choose(new Set()); setState(null); }}>
              Choose none
            </Button>
          </Group>
        </Group>
        {busy && <Progress value={(100 * state.done) / state.total} aria-label="Progress" />}
        {state !== null && state.problems.length > 0 && (
          <Alert color="red" title="Not done">
            <List size="sm">
              {state.problems.map((p) => (
                <List.Item key={p.id}>
                  {p.id}: {p.message}
                </List.Item>
              ))}
            </List>
          </Alert>
        )}
      </Stack>
      <Modal opened={asking} onClose={ask.close} title={`Delete ${those.length} stores?`}>
        <Stack>
          <Text size="sm">Shops, orders, files and passwords go with them, and do not come back.</Text>
          <TextInput label={`Type ${those.length} to confirm`} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} data-autofocus />
          <Button color="red" disabled={typed !== String(those.length)} onClick={() => void run('delete', those.map((s) => s.id))}>
            Delete them
          </Button>
        </Stack>
      </Modal>
    </Paper>
  );
}
