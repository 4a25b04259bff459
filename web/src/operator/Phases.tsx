import { Group, Text } from '@mantine/core';

import { type Overview, PHASES, type Phase } from '../api/types';
import { PHASE_COLOURS } from '../ui/theme';
import { across, HEIGHT, MINUTE, path, place, roundUp, runs, spanOf } from './scale';
import { Gaps, TimePlot } from './TimePlot';

type Sample = Overview['history'][number];

const fill = (phase: Phase) => `var(--mantine-color-${PHASE_COLOURS[phase]}-6)`;
const count = (sample: Sample, phase: Phase) => sample.stores[phase] ?? 0;

/** How many stores were in which phase, minute by minute, one upon the other. */
export function Phases({ history }: { history: Overview['history'] }) {
  if (history.length < 2) return <Text c="dimmed" size="sm">A picture comes with the next minutes.</Text>;
  const shown = PHASES.filter((p) => history.some((s) => count(s, p) > 0));
  const most = roundUp(Math.max(...history.map((s) => PHASES.reduce((sum, p) => sum + count(s, p), 0))));
  const span = spanOf(history);
  const parts = runs(history);
  const area = (run: readonly Sample[], order: number) => {
    // The last one stands for its minute too.
    const ends = run.map((s) => ({ s, time: Date.parse(s.time) }));
    const last = ends[ends.length - 1];
    const all = last ? [...ends, { s: last.s, time: last.time + MINUTE }] : ends;
    const upTo = (phases: readonly Phase[]) =>
      all.map(({ s, time }) => ({ x: across(span, time), y: HEIGHT - place(phases.reduce((sum, p) => sum + count(s, p), 0), most, HEIGHT) }));
    return `${path(upTo(shown.slice(0, order + 1)))}${path(upTo(shown.slice(0, order)).reverse()).replace('M', 'L')}Z`;
  };
  return (
    <figure className="plot-figure">
      <TimePlot span={span} most={most} height={160} label={`Stores by phase over time, up to ${most}`}>
        {shown.map((phase, order) => (
          <path key={phase} fill={fill(phase)} d={parts.map((run) => area(run, order)).join('')} />
        ))}
      </TimePlot>
      <Group gap="sm" component="figcaption" justify="space-between">
        <Group gap="sm">
          {shown.map((phase) => (
            <Group key={phase} gap={4}>
              <span aria-hidden style={{ width: 10, height: 10, borderRadius: 2, background: fill(phase) }} />
              <Text size="xs">{phase}</Text>
            </Group>
          ))}
        </Group>
        <Gaps count={parts.length} />
      </Group>
    </figure>
  );
}
