import { Button, Group, List, Paper, Progress, Stack, Text } from '@mantine/core';
import { useEffect } from 'react';

import type { Act, BulkState } from './bulk';
import { useBulk } from './BulkRun';

const DOING: Record<Act, string> = { delete: 'Deleting stores', retry: 'Retrying stores' };
const BEGUN: Record<Act, string> = { delete: 'being deleted', retry: 'being tried again' };

/** What went well is read in this time. */
const LINGERS = 10_000;

/** How far the act on many stores is, wherever one is meanwhile. */
export function BulkProgress() {
  const [state, bulk] = useBulk();
  const over = state !== null && !state.running && state.left.length + state.problems.length === 0;
  useEffect(() => {
    if (!over) return undefined;
    const timer = setTimeout(bulk.dismiss, LINGERS);
    return () => clearTimeout(timer);
  }, [over, bulk]);
  if (state === null) return null;
  const again = [...state.left, ...state.problems.map((p) => p.id)];
  return (
    <Paper withBorder shadow="md" p="sm" role="region" aria-label={DOING[state.act]}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }} role={state.running ? undefined : 'status'}>
            {words(state)}
          </Text>
          {state.running ? (
            <Button size="xs" variant="default" flex="none" onClick={bulk.stop}>
              Stop
            </Button>
          ) : (
            <Group gap="xs" wrap="nowrap" flex="none">
              {again.length > 0 && (
                <Button size="xs" variant="default" onClick={() => void bulk.start(state.act, again)}>
                  {state.left.length > 0 ? 'Go on' : 'Try those again'}
                </Button>
              )}
              <Button size="xs" variant="subtle" color="gray" onClick={bulk.dismiss}>
                Close
              </Button>
            </Group>
          )}
        </Group>
        <Progress value={(100 * state.done) / state.total} aria-label="Progress" />
        {state.halted !== null && <Text size="sm">{state.halted}</Text>}
        {state.problems.length > 0 && (
          <>
            <Text size="sm" fw={600}>
              {state.problems.length} not done
            </Text>
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1 */}
            <div style={{ maxHeight: '9rem', overflow: 'auto' }} role="group" tabIndex={0} aria-label="Not done">
              <List size="sm">
                {state.problems.map((p) => (
                  <List.Item key={p.id}>
                    {p.id}: {p.message}
                  </List.Item>
                ))}
              </List>
            </div>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function words({ act, done, total, running, waits, left, problems }: BulkState): string {
  if (running) return `${DOING[act]}: ${done} of ${total}${waits === null ? '' : `; goes on in ${waits} s, for the rate limit`}`;
  if (left.length > 0) return `Stopped: ${done} of ${total}`;
  return `Done: ${done - problems.length} of ${total} ${BEGUN[act]}`;
}
