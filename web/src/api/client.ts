/** Calls of the API. Errors are problems (RFC 9457) with a sentence and, where it helps, fields. */
import type { FieldProblem } from './types';

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = 'Problem';
  }
}

interface ProblemDocument {
  title?: string;
  detail?: string;
  errors?: { field?: string; rule?: string }[];
}

/** What a call is told of a lost network, where fetch itself has no sentence for people. */
const UNREAD = 'The service does not answer. It is asked again as soon as it is back.';
/** What would change something is never sent again unasked. */
const UNDONE = 'The service does not answer: as far as this page knows nothing was done, and it is not sent again by itself. Try again when it is back.';

export async function call<Answer>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem(0, method === 'GET' ? UNREAD : UNDONE);
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

export async function text(path: string): Promise<string> {
  const response = await fetch(`/api/v1${path}`, { credentials: 'same-origin' }).catch(() => null);
  if (response === null) throw new Problem(0, UNREAD);
  if (!response.ok) throw await problemOf(response);
  return response.text();
}

/** The problem that a refusal tells of. */
export async function problemOf(response: Response): Promise<Problem> {
  const told = (await response.json().catch(() => ({}))) as ProblemDocument;
  const fields = (told.errors ?? []).map((e) => ({ field: e.field ?? '', message: e.rule ?? '' }));
  const wait = Number(response.headers.get('Retry-After'));
  const sentence = told.detail ?? told.title ?? `The service answered ${response.status}`;
  return new Problem(response.status, sentence, fields, Number.isFinite(wait) && wait > 0 ? wait : null);
}

export const get = <Answer>(path: string) => call<Answer>('GET', path);

/** The sentence of whatever was thrown. */
export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
