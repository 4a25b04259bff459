/** Revisions that failed and are not the present trouble of a store. */
import type { Entry, Revision, Store } from '../api/types';

export interface FailedRevision {
  revision: Revision;
  /** How it went on. */
  then: string;
  /** When it failed; null where the timeline does not tell (any more). */
  at: string | null;
}

const THEN: Partial<Record<Revision['trigger'], (next: number) => string>> = {
  rollback: (next) => `was rolled back by revision ${next}`,
  retry: (next) => `was tried again as revision ${next}`,
  update: (next) => `was followed by a change, revision ${next}`,
  template: (next) => `was followed by revision ${next}, of a newer version of the service`,
};

/** Newest first. What the page shows as the store's present failure is left out. */
export function failedRevisions(store: Store, revisions: readonly Revision[], timeline: readonly Entry[] = []): FailedRevision[] {
  const byNumber = new Map(revisions.map((r) => [r.revision, r]));
  return revisions
    .filter((r) => r.outcome === 'Failed' && !(store.phase === 'Failed' && r.revision === store.revision))
    .sort((a, b) => b.revision - a.revision)
    .map((revision) => {
      const next = byNumber.get(revision.revision + 1);
      return { revision, then: (next && THEN[next.trigger]?.(next.revision)) ?? '', at: failedAt(revision, timeline) };
    });
}

/** A revision knows only when it began; its end is in the timeline, whose sentence begins with its number. */
function failedAt({ revision, createdAt }: Revision, timeline: readonly Entry[]): string | null {
  const begin = `Revision ${revision} failed`;
  const end = timeline.find((e) => e.type === 'revision' && e.reason === 'RevisionFailed' && e.time >= createdAt && e.message.startsWith(begin));
  return end?.time ?? null;
}
