/** One event stream, read by fetch: EventSource tells nobody of comments, which are the signs of life. */
import { createParser } from 'eventsource-parser';

import { Problem, problemOf } from '../api/client';

export interface Listener {
  /** The answer has begun. */
  opened: () => void;
  /** Something came, if only a comment. */
  alive: () => void;
  event: (type: string, data: string, id: string | null) => void;
  /** No more comes: refused (with the service's problem), cut or ended. Not told after it was closed. */
  ended: (problem: Problem | null) => void;
}

/** Read a stream from where it was; what is returned closes it. */
export type Read = (path: string, last: string | null, listener: Listener) => () => void;

/** A frame of ours is some kilobytes; whatever sends this much without an end is not our service. */
const LARGEST = 8_000_000;

export const read: Read = (path, last, listener) => {
  const control = new AbortController();
  const end = (problem: Problem | null) => {
    if (control.signal.aborted) return;
    control.abort();
    listener.ended(problem);
  };
  listen(path, last, listener, control.signal).then(
    () => end(null),
    (error: unknown) => end(error instanceof Problem ? error : null),
  );
  return () => control.abort();
};

async function listen(path: string, last: string | null, listener: Listener, signal: AbortSignal): Promise<void> {
  const response = await fetch(`/api/v1${path}`, {
    signal,
    cache: 'no-store',
    credentials: 'same-origin',
    headers: { Accept: 'text/event-stream', ...(last === null ? {} : { 'Last-Event-ID': last }) },
  });
  if (!response.ok) throw await problemOf(response);
  if (response.body === null || !(response.headers.get('Content-Type') ?? '').startsWith('text/event-stream'))
    throw new Problem(502, 'What answered is not the service.');
  if (signal.aborted) return;
  listener.opened();
  const parser = createParser({
    onEvent: ({ event, data, id }) => !signal.aborted && listener.event(event ?? 'message', data, id ?? null),
    maxBufferSize: LARGEST,
  });
  const reader = response.body.getReader();
  const text = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // Every byte is a sign of life: an event, a piece of one, or the comment that keeps it alive.
    listener.alive();
    parser.feed(text.decode(value, { stream: true }));
  }
}
