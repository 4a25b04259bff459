/** Numbers and moments to places in a picture. */

export const WIDTH = 1000;
export const HEIGHT = 100;

/** A round number at or above the largest, for an axis that starts at nought. */
export function roundUp(largest: number): number {
  if (largest <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(largest));
  const step = [1, 2, 2.5, 5, 10].find((s) => s * size >= largest) ?? 10;
  return step * size;
}

export const place = (value: number, most: number, length: number): number => (most === 0 ? 0 : (value / most) * length);

/** An SVG path through points, left to right; null breaks it. A point alone is a line of no length, which round ends make a dot. */
export function path(points: readonly ({ x: number; y: number } | null)[]): string {
  return points
    .map((point, index) => {
      if (point === null) return '';
      const begins = (points[index - 1] ?? null) === null;
      const alone = begins && (points[index + 1] ?? null) === null;
      return `${begins ? 'M' : 'L'}${point.x.toFixed(1)} ${point.y.toFixed(1)}${alone ? 'h0' : ''}`;
    })
    .join('');
}

export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Samples come once a minute; where two are missing nobody sampled. */
const GAP = 2.5 * MINUTE;

interface Timed {
  time: string;
}

/** Samples that follow each other without a gap. */
export function runs<Sample extends Timed>(samples: readonly Sample[]): Sample[][] {
  const found: Sample[][] = [];
  let before = -Infinity;
  for (const sample of samples) {
    const at = Date.parse(sample.time);
    const last = found[found.length - 1];
    if (last === undefined || at - before > GAP) found.push([sample]);
    else last.push(sample);
    before = at;
  }
  return found;
}

/** From when to when a picture goes, in milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** All of them, each for its minute. */
export function spanOf(samples: readonly Timed[], each = MINUTE): Span {
  const times = samples.map((s) => Date.parse(s.time));
  return { from: Math.min(...times), to: Math.max(...times) + each };
}

export const across = ({ from, to }: Span, time: number): number => place(time - from, to - from, WIDTH);

const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

export interface Ticks {
  /** Milliseconds between two. */
  step: number;
  at: number[];
}

/** Round moments of the local clock, as near to each other as lets so many of them in. */
export function ticks({ from, to }: Span, most: number, zone = new Date(from).getTimezoneOffset() * MINUTE): Ticks {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? 365 * DAY;
  const at: number[] = [];
  for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step) at.push(time);
  return { step, at };
}

const FORMS: readonly [number, Intl.DateTimeFormatOptions][] = [
  [DAY, { month: 'short', day: 'numeric' }],
  [HOUR, { hour: 'numeric' }],
  [0, { hour: 'numeric', minute: '2-digit' }],
];

/** What stands at the ticks of that step. */
export function tickWords(step: number): (time: number) => string {
  const form = FORMS.find(([least]) => step >= least)?.[1];
  const words = new Intl.DateTimeFormat(undefined, form);
  return (time) => words.format(time);
}
