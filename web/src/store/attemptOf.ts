/** The present attempt to bring a store to Ready: when it began, and when it was Ready. Made of the timeline. */
import type { Entry } from '../api/types';

export interface Attempt {
  begun: string;
  /** When its revision became Ready; null while it has not. */
  ready: string | null;
}

/** What asks for an attempt: a create, a change or a retry by somebody, or the service's own going back. */
const asks = (entry: Entry): boolean => entry.type === 'spec' || (entry.type === 'revision' && entry.reason === 'RollingBack');

/** `null`: the timeline does not tell. An attempt counts from its request, or, where nobody asked (a new template), from its revision. */
export function attemptOf(entries: readonly Entry[]): Attempt | null {
  let begun: string | null = null;
  let ready: string | null = null;
  let waits = false;
  for (const entry of entries) {
    const of = (reason: string) => entry.type === 'revision' && entry.reason === reason;
    if (asks(entry) || (of('RevisionStarted') && !waits)) {
      begun = entry.time;
      ready = null;
      waits = asks(entry);
    } else if (of('RevisionStarted')) {
      waits = false;
    } else if (of('RevisionReady') && !waits) {
      ready ??= entry.time;
    }
  }
  return begun === null ? null : { begun, ready };
}
