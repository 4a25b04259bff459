/** Calls of the API. Errors are problems (RFC 9457) with a sentence and, where it helps, fields. */
import { hearAllowance } from './allowance';
import { hear } from './clock';
import type { FieldProblem } from './types';

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly retryAfter: number | null = null,
    /** The setting whose limit is reached. */
    readonly limit: string | null = null,
  ) {
    super(message);
    this.name = 'Problem';
  }
}

interface ProblemDocument {
  title?: string;
  detail?: string;
  limit?: string;
  errors?: { field?: string; rule?: string }[];
}

/** What a call is told of a lost network, where fetch itself has no sentence for people. */
const UNREAD = 'The service does not answer. It is asked again as soon as it is back.';
/** What would change something is never sent again unasked. */
const UNDONE = 'The service does not answer: as far as this page knows nothing was done, and it is not sent again by itself. Try again when it is back.';

/** What whoever asked is told when the answer came for somebody else. */
const OTHERS = 'Somebody else signed in meanwhile: what was answered is not for this page.';

/** Counts the people that this page was of: raised as soon as it is known that it is somebody else's. */
let person = 0;

/** Whatever is under way was asked as somebody else: its answers are given to nobody. */
export const disown = (): void => {
  person += 1;
};

/** Its answer says who is signed in from then on, whoever asked. */
const SESSION = '/session';

/** A service that has not answered by then hangs: whoever waits is told, and may go on. */
const PATIENCE = 60_000;

async function answered<Answer>(path: string, options: RequestInit, lost: string, read: (response: Response) => Promise<Answer>): Promise<Answer> {
  const asked = Date.now();
  const asker = person;
  try {
    const response = await fetch(`/api/v1${path}`, { credentials: 'same-origin', signal: AbortSignal.timeout(PATIENCE), ...options });
    hear(response.headers.get('Date'), asked, Date.now());
    hearAllowance(response.headers, Date.now());
    if (!response.ok) throw await problemOf(response);
    const answer = await read(response);
    if (asker !== person && path !== SESSION) throw new Problem(0, OTHERS);
    return answer;
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, lost); // refused, cut in the middle, or silent
  }
}

export function call<Answer>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const options: RequestInit = {
    method,
    headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  return answered(path, options, method === 'GET' ? UNREAD : UNDONE, async (response) =>
    response.status === 204 ? (undefined as Answer) : ((await response.json()) as Answer),
  );
}

export const text = (path: string): Promise<string> => answered(path, {}, UNREAD, (response) => response.text());

/** The problem that a refusal tells of. */
export async function problemOf(response: Response): Promise<Problem> {
  const told = (await response.json().catch(() => ({}))) as ProblemDocument;
  const fields = (told.errors ?? []).map((e) => ({ field: e.field ?? '', message: e.rule ?? '' }));
  const wait = Number(response.headers.get('Retry-After'));
  const sentence = told.detail ?? told.title ?? `The service answered ${response.status}`;
  return new Problem(response.status, sentence, fields, Number.isFinite(wait) && wait > 0 ? wait : null, told.limit ?? null);
}

export const get = <Answer>(path: string) => call<Answer>('GET', path);

/** The sentence of whatever was thrown. */
export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
