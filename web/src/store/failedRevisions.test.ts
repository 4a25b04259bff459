import { describe, expect, it } from 'vitest';

import type { Revision, Store } from '../api/types';
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
});
