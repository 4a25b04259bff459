import { Stack, Text } from '@mantine/core';

import type { Overview } from '../api/types';
import { path, place, roundUp } from './scale';

const WIDTH = 500;
const HEIGHT = 56;

type Sample = Overview['history'][number];

export function Lines({ history }: { history: Overview['history'] }) {
  if (history.length < 2) return <Text c="dimmed" size="sm">A picture comes with the next minutes.</Text>;
  return (
    <Stack gap="sm">
      <Line history={history} name="Latency" unit="ms" of={(s) => (s.latency === null ? null : s.latency * 1000)} />
      <Line history={history} name="Oldest in the queue" unit="s" of={(s) => s.queueAge} />
    </Stack>
  );
}

function Line({ history, name, unit, of }: { history: readonly Sample[]; name: string; unit: string; of: (sample: Sample) => number | null }) {
  const values = history.map(of);
  const most = roundUp(Math.max(...values.map((v) => v ?? 0)));
  const points = values.map((v, i) => (v === null ? null : { x: place(i, values.length - 1, WIDTH), y: HEIGHT - place(v, most, HEIGHT - 3) }));
  const label = `${name}, up to ${most} ${unit}`;
  return (
    <figure style={{ margin: 0 }}>
      <Text component="figcaption" size="xs" c="dimmed">
        {label}
      </Text>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={HEIGHT} role="img" aria-label={label}>
        <path d={path(points)} fill="none" stroke="var(--mantine-color-cyan-7)" strokeWidth={2} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}
