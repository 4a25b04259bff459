import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { across, HEIGHT, type Span, ticks, tickWords, WIDTH } from './scale';

interface Props {
  span: Span;
  /** The axis goes from nought to this. */
  most: number;
  unit?: string;
  /** What is seen, for those who do not see it. */
  label: string;
  height: number;
  /** Shapes in a room of WIDTH by HEIGHT, nought at its foot. */
  children: ReactNode;
}

/** A day and its minute take a tick each six hours. */
const TICKS = 4.1;

/** Percent of the way after which there is no room for words. */
const EDGE = 97;

/** A picture over time with its two axes. It is stretched to its place; words stand beside it, so that they are not. */
export function TimePlot({ span, most, unit = '', label, height, children }: Props) {
  const { step, at } = ticks(span, TICKS);
  const words = tickWords(step);
  return (
    <div className="plot">
      <div className="plot-scale" aria-hidden style={{ height }}>
        <span>{`${most}${unit === '' ? '' : ` ${unit}`}`}</span>
        <span>0</span>
      </div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={height} role="img" aria-label={label}>
        <g className="plot-grid">
          {[0, HEIGHT / 2, HEIGHT].map((y) => (
            <line key={y} x1={0} x2={WIDTH} y1={y} y2={y} />
          ))}
          {at.map((time) => (
            <line key={time} x1={across(span, time)} x2={across(span, time)} y1={0} y2={HEIGHT} />
          ))}
        </g>
        {children}
      </svg>
      <div className="plot-times" aria-hidden>
        {at.map((time) => {
          const left = across(span, time) / (WIDTH / 100);
          return left > EDGE ? null : (
            <span key={time} style={{ left: `${left}%` }}>
              {words(time)}
            </span>
          );
        })}
      </div>
    </div>
  );
}

/** Said under a picture that has holes. */
export function Gaps({ count }: { count: number }) {
  if (count < 2) return null;
  return (
    <Text size="xs" c="dimmed">
      Where nothing is drawn the service did not run.
    </Text>
  );
}
