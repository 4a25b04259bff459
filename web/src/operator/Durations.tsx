import { Text } from '@mantine/core';

import type { Overview } from '../api/types';
import { seconds } from '../ui/words';
import { place, roundUp } from './scale';

const WIDTH = 500;
const HEIGHT = 160;

/** Each store that became Ready as a dot, newest on the right, with the median and the 95th percentile. */
export function Durations({ durations }: { durations: Overview['durations'] }) {
  const { p50, p95 } = durations;
  const recent = [...durations.recent].reverse();
  if (p50 === null || p95 === null || recent.length === 0) return <Text c="dimmed">No store was Ready yet.</Text>;
  const most = roundUp(Math.max(...recent.map((d) => d.seconds)) * 1.05);
  const y = (value: number) => HEIGHT - place(value, most, HEIGHT - 4);
  const x = (i: number) => (recent.length === 1 ? WIDTH / 2 : 8 + place(i, recent.length - 1, WIDTH - 16));
  return (
    <figure style={{ margin: 0 }}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" role="img" aria-label={`Median ${seconds(p50)}, 95 % within ${seconds(p95)}`}>
        {[{ at: p50, name: 'p50' }, { at: p95, name: 'p95' }].map(({ at, name }) => (
          <g key={name}>
            <line x1={0} x2={WIDTH} y1={y(at)} y2={y(at)} stroke="var(--mantine-color-dimmed)" strokeDasharray={name === 'p50' ? '0' : '6 4'} />
            <text x={4} y={Math.max(12, y(at) - 4)} fontSize={12} fill="var(--mantine-color-text)">{`${name} ${seconds(at)}`}</text>
          </g>
        ))}
        {recent.map((d, i) => (
          <circle key={d.store + d.time} cx={x(i)} cy={y(d.seconds)} r={4} fill="var(--mantine-color-cyan-7)" fillOpacity={0.7}>
            <title>{`${d.store}: ${seconds(d.seconds)}`}</title>
          </circle>
        ))}
      </svg>
      <Text component="figcaption" size="xs" c="dimmed">
        The newest {recent.length}, up to {seconds(most)}
      </Text>
    </figure>
  );
}
