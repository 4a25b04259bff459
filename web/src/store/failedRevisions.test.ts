import { describe, expect, it } from 'vitest';

import type { Entry, Revision, Store } from '../api/types';
import { failedRevisions } from './failedRevisions';

const revision = (number: number, outcome: Revision['outcome'], trigger: Revision['trigger']) => ({ revision: number, outcome, trigger }) as Revision;
const store = (phase: Store['phase'], current: number) => ({ phase, revision: current }) as Store;
const HISTORY = [
  revision(5, 'Failed', 'template'),
  revision(4, 'Ready', 'rollback'),
  revision(3, 'Failed', 'update'),
  revision(2, 'Ready', 'retry'),
  revision(1, 'Failed', 'create'),
];

describe('revisions that failed', () => {
  it('are told of with how it went on, newest first', () => {
    expect(failedRevisions(store('Provisioning', 5), HISTORY).map((f) => [f.revision.revision, f.then])).toEqual([
      [5, ''],
      [3, 'was rolled back by revision 4'],
      [1, 'was tried again as revision 2'],
    ]);
  });

  it('are not told of twice: the present failure has its own place', () => {
    expect(failedRevisions(store('Failed', 5), HISTORY).map((f) => f.revision.revision)).toEqual([3, 1]);
  });

  it('failed when the timeline says, not when they began', () => {
    const began = { ...revision(1, 'Failed', 'create'), createdAt: '2026-01-01T10:00:00Z' };
    const entry = (reason: string, message: string, time: string) => ({ type: 'revision', reason, message, time }) as Entry;
    const timeline = [
      entry('RevisionFailed', 'Revision 1 failed: of an earlier store of this id', '2025-12-01T10:00:00Z'),
      entry('RevisionStarted', 'Revision 1 begins', '2026-01-01T10:00:00Z'),
      entry('RevisionFailed', 'Revision 11 failed: no', '2026-01-01T10:05:00Z'),
      entry('RevisionFailed', 'Revision 1 failed: Not Ready within 10 min', '2026-01-01T10:10:00Z'),
    ];
    expect(failedRevisions(store('Ready', 2), [began], timeline)[0]?.at).toBe('2026-01-01T10:10:00Z');
    expect(failedRevisions(store('Ready', 2), [began], [])[0]?.at).toBeNull();
  });
});
