import { Stack, Text } from '@mantine/core';

import type { Overview } from '../api/types';
import { across, HEIGHT, path, place, roundUp, runs, spanOf } from './scale';
import { Gaps, TimePlot } from './TimePlot';

type Sample = Overview['history'][number];
type Of = (sample: Sample) => number | null;

const latency: Of = (s) => (s.latency === null ? null : s.latency * 1000);
const queueAge: Of = (s) => s.queueAge;

/** Seconds since the watch that was silent longest was heard of. */
const staleness: Of = (s) => s.staleness;

export function Lines({ history }: { history: Overview['history'] }) {
  if (history.length < 2) return <Text c="dimmed" size="sm">A picture comes with the next minutes.</Text>;
  return (
    <Stack gap="sm">
      <Line history={history} name="API server answers within" unit="ms" of={latency} />
      <Line history={history} name="Oldest in the queue" unit="s" of={queueAge} />
      <Line history={history} name="Watch last heard of" unit="s" of={staleness} />
      <Gaps count={runs(history).length} />
    </Stack>
  );
}

function Line({ history, name, unit, of }: { history: readonly Sample[]; name: string; unit: string; of: Of }) {
  const span = spanOf(history);
  const most = roundUp(Math.max(...history.map((s) => of(s) ?? 0)));
  const point = (s: Sample) => {
    const value = of(s);
    return value === null ? null : { x: across(span, Date.parse(s.time)), y: HEIGHT - place(value, most, HEIGHT) };
  };
  const points = runs(history).flatMap((run) => [...run.map(point), null]);
  return (
    <figure className="plot-figure">
      <Text component="figcaption" size="xs" c="dimmed" mb={4}>
        {name}
      </Text>
      <TimePlot span={span} most={most} unit={unit} height={64} label={`${name}, up to ${most} ${unit}`}>
        <path className="plot-line" d={path(points)} />
      </TimePlot>
    </figure>
  );
}
