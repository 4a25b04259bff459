import { Button, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';

import type { Store } from '../api/types';
import { moment } from '../ui/words';
import { WhatWasSeen } from './Evidence';
import { type FailedRevision, failedRevisions } from './failedRevisions';
import { useEvents, useRevisions } from './useStore';

const FIRST = 3;

/** Attempts that failed before, with what was seen of them: nothing when there are none. */
export function FailedRevisions({ store }: { store: Store }) {
  const revisions = useRevisions(store.id);
  const events = useEvents(store.id);
  const [all, setAll] = useState(false);
  const failed = failedRevisions(store, revisions.data ?? [], events.data);
  if (failed.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-label="Failed before">
      <Title order={2} size="h5" mb="sm">
        Failed before
      </Title>
      <Stack gap="sm">
        {(all ? failed : failed.slice(0, FIRST)).map((one) => (
          <One key={one.revision.revision} id={store.id} failed={one} />
        ))}
        {!all && failed.length > FIRST && (
          <Button size="compact-sm" variant="default" style={{ alignSelf: 'start' }} onClick={() => setAll(true)}>
            Show {failed.length - FIRST} more
          </Button>
        )}
      </Stack>
    </Paper>
  );
}

function One({ id, failed: { revision, then, at } }: { id: string; failed: FailedRevision }) {
  const [opened, setOpened] = useState(false);
  return (
    <div data-revision={revision.revision}>
      <Text size="sm">
        Revision {revision.revision} failed{then === '' ? '' : ` and ${then}`}
        <Text span size="xs" c="dimmed">
          {' '}
          {at === null ? `began ${moment(revision.createdAt)}` : moment(at)}
        </Text>
      </Text>
      <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {revision.message}
      </Text>
      {revision.hasEvidence && (
        <details onToggle={(e) => setOpened(e.currentTarget.open)}>
          <summary>What was seen when it failed</summary>
          {opened && <WhatWasSeen id={id} revision={revision.revision} />}
        </details>
      )}
    </div>
  );
}
