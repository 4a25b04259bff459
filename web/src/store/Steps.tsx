import { Group, Loader, Text, ThemeIcon, Title } from '@mantine/core';

import type { Store } from '../api/types';
import { useNow } from '../ui/useNow';
import { seconds } from '../ui/words';
import { type Step, type StepState, stepsOf } from './stepsOf';

const SIGNS: Record<StepState, { sign: string; colour: string; word: string }> = {
  done: { sign: '✓', colour: 'teal', word: 'done' },
  now: { sign: '…', colour: 'blue', word: 'under way' },
  waiting: { sign: '·', colour: 'gray', word: 'waits' },
  failed: { sign: '!', colour: 'red', word: 'failed' },
};

/** Which step, how long each took, and what the present one waits for. */
export function Steps({ store }: { store: Store }) {
  const steps = stepsOf(store);
  return (
    <>
      <Title order={2} size="h5" mb="sm">
        {store.readyAt === null ? 'On the way to Ready' : 'How it does'}
      </Title>
      <ol style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {steps.map((step) => (
          <One key={step.type} step={step} store={store} />
        ))}
      </ol>
    </>
  );
}

function One({ step, store }: { step: Step; store: Store }) {
  const { sign, colour, word } = SIGNS[step.state];
  const working = step.state === 'now' && store.phase !== 'Deleting';
  return (
    <Group component="li" wrap="nowrap" align="flex-start" gap="sm" py={6} data-step={step.type} data-state={step.state}>
      <ThemeIcon size={22} radius="xl" color={colour} variant={step.state === 'waiting' ? 'light' : 'filled'} role="img" aria-label={word}>
        {working ? <Loader size={12} color="white" aria-hidden /> : <span aria-hidden>{sign}</span>}
      </ThemeIcon>
      <div style={{ minWidth: 0, flex: 1 }}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="sm" fw={step.state === 'now' ? 600 : 500}>
            {step.title}
          </Text>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            {step.after !== null ? `after ${seconds(step.after)}` : working && store.readyAt === null ? <Passed since={store.createdAt} /> : null}
          </Text>
        </Group>
        {step.state !== 'waiting' && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {step.message}
          </Text>
        )}
      </div>
    </Group>
  );
}

function Passed({ since }: { since: string }) {
  const now = useNow(1000);
  return <>{seconds(Math.max(0, Math.round((now - Date.parse(since)) / 1000)))} so far</>;
}
