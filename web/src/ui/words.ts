/** Moments and lengths of time as people say them. */

const UNITS: readonly [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `90` → `1 min 30 s`; two units at most. */
export function seconds(count: number): string {
  if (count < 10) return `${Math.max(0, Math.round(count * 10) / 10)} s`;
  let rest = Math.round(count);
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${name}`);
    if (parts.length === 2 || (parts.length === 1 && whole === 0)) break;
  }
  return parts.join(' ') || '0 s';
}

export function age(since: string, now: number): string {
  const passed = Math.max(0, (now - Date.parse(since)) / 1000);
  const unit = UNITS.find(([size]) => passed >= size) ?? [1, 's'];
  return `${Math.floor(passed / unit[0])} ${unit[1]}`;
}

export const between = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

const CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
export const moment = (time: string): string => CLOCK.format(new Date(time));

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < BYTES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${BYTES[unit] ?? ''}`;
}
