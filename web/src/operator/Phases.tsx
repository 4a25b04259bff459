import { Group, Text } from '@mantine/core';

import { type Overview, PHASES, type Phase } from '../api/types';
import { PHASE_COLOURS } from '../ui/theme';
import { moment } from '../ui/words';
import { path, place, roundUp } from './scale';

const WIDTH = 1000;
const HEIGHT = 160;

const fill = (phase: Phase) => `var(--mantine-color-${PHASE_COLOURS[phase]}-6)`;

/** How many stores were in which phase, minute by minute, one upon the other. */
export function Phases({ history }: { history: Overview['history'] }) {
  if (history.length < 2) return <Text c="dimmed" size="sm">A picture comes with the next minutes.</Text>;
  const shown = PHASES.filter((p) => history.some((s) => (s.stores[p] ?? 0) > 0));
  const most = roundUp(Math.max(...history.map((s) => PHASES.reduce((sum, p) => sum + (s.stores[p] ?? 0), 0))));
  const x = (i: number) => place(i, history.length - 1, WIDTH);
  const y = (count: number) => HEIGHT - place(count, most, HEIGHT);
  const below = history.map(() => 0);
  const areas = shown.map((phase) => {
    const low = [...below];
    history.forEach((s, i) => (below[i] = (below[i] ?? 0) + (s.stores[phase] ?? 0)));
    const upper = below.map((n, i) => ({ x: x(i), y: y(n) }));
    const lower = low.map((n, i) => ({ x: x(i), y: y(n) })).reverse();
    return { phase, d: `${path(upper)}${path(lower).replace('M', 'L')}Z` };
  });
  const first = history[0];
  const last = history[history.length - 1];
  return (
    <figure style={{ margin: 0 }}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={HEIGHT} role="img" aria-label={`Stores by phase over time, up to ${most}`}>
        {areas.map(({ phase, d }) => (
          <path key={phase} d={d} fill={fill(phase)} />
        ))}
      </svg>
      <Group justify="space-between" component="figcaption">
        <Text size="xs" c="dimmed">{first ? moment(first.time) : ''}</Text>
        <Group gap="sm">
          {shown.map((phase) => (
            <Group key={phase} gap={4}>
              <span aria-hidden style={{ width: 10, height: 10, borderRadius: 2, background: fill(phase) }} />
              <Text size="xs">{phase}</Text>
            </Group>
          ))}
        </Group>
        <Text size="xs" c="dimmed">{last ? moment(last.time) : ''}</Text>
      </Group>
    </figure>
  );
}
