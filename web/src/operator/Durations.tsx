import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import type { Overview } from '../api/types';
import { seconds } from '../ui/words';
import { across, HEIGHT, place, roundUp, type Span, spanOf, WIDTH } from './scale';
import { TimePlot } from './TimePlot';

const LEAST = 4 * 60_000;

/** Each store that became Ready as a dot at its time, with the median and the 95th percentile. */
export function Durations({ durations }: { durations: Overview['durations'] }) {
  const { p50, p95, recent } = durations;
  if (p50 === null || p95 === null || recent.length === 0) return <Text c="dimmed">No store was Ready yet.</Text>;
  const most = roundUp(Math.max(...recent.map((d) => d.seconds)) * 1.05);
  const span = roomy(spanOf(recent, 0));
  const y = (value: number) => HEIGHT - place(value, most, HEIGHT);
  return (
    <figure className="plot-figure">
      <TimePlot span={span} most={most} unit="s" height={200} label={`The newest ${recent.length}: median ${seconds(p50)}, 95 % within ${seconds(p95)}`}>
        <line className="plot-mark" x1={0} x2={WIDTH} y1={y(p50)} y2={y(p50)} />
        <line className="plot-mark" x1={0} x2={WIDTH} y1={y(p95)} y2={y(p95)} strokeDasharray="6 4" />
        {recent.map((d) => (
          <path key={d.store + d.time} className="plot-dot" d={`M${across(span, Date.parse(d.time)).toFixed(1)} ${y(d.seconds).toFixed(1)}h0`}>
            <title>{`${d.store}: ${seconds(d.seconds)}`}</title>
          </path>
        ))}
      </TimePlot>
      <Group gap="md" component="figcaption">
        <Mark dashes="0">median {seconds(p50)}</Mark>
        <Mark dashes="6 4">95 % within {seconds(p95)}</Mark>
        <Text size="xs" c="dimmed">
          {recent.length === 1 ? 'one store' : `the newest ${recent.length}`}
        </Text>
      </Group>
    </figure>
  );
}

/** Some room at both sides, so that no dot is cut, and some minutes at least. */
function roomy({ from, to }: Span): Span {
  const more = Math.max((to - from) * 0.03, (LEAST - (to - from)) / 2);
  return { from: from - more, to: to + more };
}

function Mark({ dashes, children }: { dashes: string; children: ReactNode }) {
  return (
    <Group gap={6} wrap="nowrap">
      <svg width={22} height={8} aria-hidden>
        <line className="plot-mark" x1={0} x2={22} y1={4} y2={4} strokeDasharray={dashes} />
      </svg>
      <Text size="xs">{children}</Text>
    </Group>
  );
}
