import { Group, Loader, Text, ThemeIcon, Title } from '@mantine/core';

import type { Store } from '../api/types';
import { useNow } from '../ui/useNow';
import { seconds } from '../ui/words';
import { attemptOf } from './attemptOf';
import { read } from './readEvidence';
import { type Step, type StepState, stepsOf } from './stepsOf';
import { useEvents, useEvidence } from './useStore';

const SIGNS: Record<StepState, { sign: string; colour: string; word: string }> = {
  done: { sign: '✓', colour: 'teal', word: 'done' },
  now: { sign: '…', colour: 'blue', word: 'under way' },
  waiting: { sign: '·', colour: 'gray', word: 'waits' },
  failed: { sign: '!', colour: 'red', word: 'failed' },
  undone: { sign: '✓', colour: 'gray', word: 'was done, and taken down' },
  unreached: { sign: '·', colour: 'gray', word: 'not reached' },
};

function titleOf(store: Store): string {
  if (store.phase === 'Failed') return 'How far it came';
  return store.readyAt === null ? 'On the way to Ready' : 'How it does';
}

/** Which step, how long each took, and what the present one waits for. */
export function Steps({ store }: { store: Store }) {
  const failed = store.phase === 'Failed';
  const events = useEvents(store.id);
  const evidence = useEvidence(store.id, store.revision, failed);
  if (store.phase === 'Deleting') return <Leaving />;
  const attempt = attemptOf(events.data ?? []);
  const steps = stepsOf(store, attempt, failed && evidence.data ? read(evidence.data).conditions : null);
  return (
    <>
      <Title order={2} size="h5" mb="sm">
        {titleOf(store)}
      </Title>
      <ol className="steps">
        {steps.map((step) => (
          <One key={step.type} step={step} since={attempt?.begun ?? null} />
        ))}
      </ol>
    </>
  );
}

function One({ step, since }: { step: Step; since: string | null }) {
  const { sign, colour, word } = SIGNS[step.state];
  const working = step.state === 'now';
  const says = step.state === 'undone' || step.state === 'unreached' ? word : step.message;
  const quiet = step.state === 'waiting' || step.state === 'unreached' || step.state === 'undone';
  return (
    <Group component="li" wrap="nowrap" align="flex-start" gap="sm" py={6} data-step={step.type} data-state={step.state}>
      <ThemeIcon size={22} radius="xl" color={colour} variant={quiet ? 'light' : 'filled'} role="img" aria-label={word}>
        {working ? <Loader size={12} color="white" aria-hidden /> : <span aria-hidden>{sign}</span>}
      </ThemeIcon>
      <div style={{ minWidth: 0, flex: 1 }}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="sm" fw={working ? 600 : 500}>
            {step.title}
          </Text>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            {step.after !== null ? `after ${seconds(step.after)}` : working && since !== null ? <Passed since={since} /> : null}
          </Text>
        </Group>
        {says !== '' && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {says}
          </Text>
        )}
      </div>
    </Group>
  );
}

/** A store that goes has no steps any more; what holds it up is its message. */
function Leaving() {
  return (
    <>
      <Title order={2} size="h5" mb="sm">
        On its way out
      </Title>
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Loader size={18} color="gray.6" mt={2} aria-hidden />
        <Text size="sm">Everything of it is being deleted. What holds it up stands above; this page says when it is gone.</Text>
      </Group>
    </>
  );
}

function Passed({ since }: { since: string }) {
  const now = useNow(1000);
  return <>{seconds(Math.max(0, Math.round((now - Date.parse(since)) / 1000)))} so far</>;
}
