import { expect, it } from 'vitest';

import { read } from './readEvidence';

it('shows what is not well first, and stumbles over nothing that is missing', () => {
  const seen = read({
    containers: [
      { pod: 'mysql-0', container: 'mysql', state: 'running', ready: true, restarts: 0 },
      { pod: 'web', container: 'setup', state: 'waiting', reason: 'ImagePullBackOff', ready: false, restarts: 2 },
      'noise',
    ],
    events: [{ reason: 'Failed', message: 'no such image' }],
    logs: null,
    conditions: [{ type: 'DatabaseReady', healthy: true }],
  });
  expect(seen.containers.map((c) => c.container)).toEqual(['setup', 'mysql']);
  expect(seen.events[0]).toEqual({ time: '', reason: 'Failed', object: '', message: 'no such image', count: 0 });
  expect(seen.logs).toEqual([]);
  expect(seen.conditions).toEqual([{ type: 'DatabaseReady', healthy: true, message: '' }]);
  expect(seen.note).toBeNull();
  expect(read({}).containers).toEqual([]);
});
