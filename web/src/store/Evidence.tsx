import { Alert, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { sentence } from '../api/client';
import type { Store } from '../api/types';
import { Waiting } from '../ui/Waiting';
import { moment } from '../ui/words';
import { type ContainerSeen, type EventSeen, type LogSeen, read } from './readEvidence';
import { useEvidence } from './useStore';

/** Why the present revision failed: the reason first, then what was seen. */
export function Evidence({ store }: { store: Store }) {
  return (
    <Alert color="red" variant="outline" title={`Revision ${store.revision} failed`} role="alert">
      <Text size="sm" mb="sm">
        {store.message}
      </Text>
      <details>
        <summary>What was seen when it failed</summary>
        <WhatWasSeen id={store.id} revision={store.revision} />
      </details>
    </Alert>
  );
}

/** What a failed revision left, the most telling first. */
export function WhatWasSeen({ id, revision }: { id: string; revision: number }) {
  const evidence = useEvidence(id, revision);
  if (evidence.isPending) return <Waiting h={80} part />;
  if (!evidence.data)
    return (
      <Text size="sm" mt="sm">
        {sentence(evidence.error)}
      </Text>
    );
  const seen = read(evidence.data);
  const nothing = seen.containers.length + seen.logs.length + seen.events.length === 0;
  return (
    <Stack mt="sm" gap="md" role="region" aria-label={`Evidence of revision ${revision}`}>
      {seen.note !== null && <Text size="sm">{seen.note}</Text>}
      {nothing && <Text size="sm">Nothing ran yet, and Kubernetes told of no event.</Text>}
      <Containers containers={seen.containers} />
      {seen.logs.map((log) => (
        <Log key={`${log.pod} ${log.container}`} log={log} />
      ))}
      <Events events={seen.events} />
    </Stack>
  );
}

function Containers({ containers }: { containers: readonly ContainerSeen[] }) {
  if (containers.length === 0) return null;
  return (
    <Told label="Containers">
      {containers.map((c) => (
        <li key={`${c.pod} ${c.container}`}>
          <Text size="sm" fw={600}>
            {c.container}: {[c.state, c.reason].filter((word) => word !== '').join(', ')}
            {c.restarts > 0 && `, ${c.restarts} restarts`}
          </Text>
          {c.message !== '' && <Text size="sm">{c.message}</Text>}
          <Text size="xs" c="dimmed">
            {c.pod}
          </Text>
        </li>
      ))}
    </Told>
  );
}

function Log({ log }: { log: LogSeen }) {
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        {log.previous ? 'What it said before it ended' : 'What it said last'}: {log.pod}/{log.container}
      </Text>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1 */}
      <pre className="log evidence" tabIndex={0} role="region" aria-label={`Log of ${log.container}`}>
        {log.text}
      </pre>
    </div>
  );
}

function Events({ events }: { events: readonly EventSeen[] }) {
  if (events.length === 0) return null;
  return (
    <Told label="Events of Kubernetes, newest first">
      {[...events].reverse().map((e, index) => (
        <li key={`${e.time} ${e.object} ${index}`}>
          <Text size="sm" fw={600}>
            {e.reason}
            {e.count > 1 && ` (${e.count} times)`}
          </Text>
          <Text size="sm">{e.message}</Text>
          <Text size="xs" c="dimmed">
            {[e.time === '' ? '' : moment(e.time), e.object].filter((word) => word !== '').join(', ')}
          </Text>
        </li>
      ))}
    </Told>
  );
}

/** A list that may be long: it scrolls in its own room. */
function Told({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        {label}
      </Text>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1 */}
      <div className="seen" tabIndex={0} role="region" aria-label={label}>
        <ul className="told">{children}</ul>
      </div>
    </div>
  );
}
