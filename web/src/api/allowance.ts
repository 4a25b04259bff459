/** How many more calls the rate limit allows, as the service's answers tell it. */

interface Told {
  limit: number;
  remaining: number;
  /** When they are counted anew, by the browser's clock. */
  until: number;
}

let told: Told | null = null;

/** Take note of an answer's RateLimit headers; without them there is no limit. */
export function hearAllowance(headers: Headers, now: number): void {
  const numbers = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'].map((name) => Number(headers.get(name) ?? NaN));
  const [limit = NaN, remaining = NaN, reset = NaN] = numbers;
  told = numbers.every((n) => Number.isFinite(n) && n >= 0) ? { limit, remaining, until: now + 1000 * reset } : null;
}

/** What work in the background leaves for the page itself. */
const reserve = (limit: number): number => Math.min(Math.floor(limit / 2), Math.max(10, Math.ceil(limit / 4)));

/** Until when work in the background has to wait, or null. */
export function waitsUntil(now: number): number | null {
  if (told === null || now >= told.until) return null;
  return told.remaining > reserve(told.limit) ? null : told.until;
}
