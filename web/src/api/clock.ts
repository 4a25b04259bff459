/** The service's clock, as its answers tell it: a browser's own may be wrong by hours. */

let offset = 0;

/** A Date header has whole seconds and travels for a while: what is less is no difference. */
const LEAST = 2_000;

/** Take note of an answer's Date header; `asked` and `answered` are moments of the browser's clock. */
export function hear(date: string | null, asked: number, answered: number): void {
  const told = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(told)) return;
  const heard = told + 500 - (asked + answered) / 2;
  if (Math.abs(heard - offset) > LEAST + (answered - asked) / 2) offset = Math.abs(heard) > LEAST ? heard : 0;
}

/** The present, in milliseconds since 1970, by the service's clock. */
export const serviceNow = (): number => Date.now() + offset;
