/** Numbers to places in a picture. */

export interface Box {
  width: number;
  height: number;
}

/** A round number at or above the largest, for an axis that starts at nought. */
export function roundUp(largest: number): number {
  if (largest <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(largest));
  const step = [1, 2, 2.5, 5, 10].find((s) => s * size >= largest) ?? 10;
  return step * size;
}

export const place = (value: number, most: number, length: number): number => (most === 0 ? 0 : (value / most) * length);

/** An SVG path through points, left to right; null breaks it. */
export function path(points: readonly ({ x: number; y: number } | null)[]): string {
  let begun = false;
  return points
    .map((point) => {
      if (point === null) {
        begun = false;
        return '';
      }
      const word = begun ? 'L' : 'M';
      begun = true;
      return `${word}${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
    })
    .join('');
}
