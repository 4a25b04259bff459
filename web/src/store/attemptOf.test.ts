import { describe, expect, it } from 'vitest';

import type { Entry } from '../api/types';
import { attemptOf } from './attemptOf';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
const told = (second: number, type: Entry['type'], reason: string) => ({ seq: second, time: at(second), type, reason }) as Entry;

const CREATED = [told(0, 'spec', 'Created'), told(1, 'revision', 'RevisionStarted')];
const FAILED = [...CREATED, told(9, 'revision', 'RevisionFailed'), told(10, 'revision', 'TakenDown')];
const READY = [...CREATED, told(8, 'revision', 'RevisionReady')];

describe('the present attempt', () => {
  it('of a new store begins with its request', () => {
    expect(attemptOf(CREATED)).toEqual({ begun: at(0), ready: null });
    expect(attemptOf(READY)).toEqual({ begun: at(0), ready: at(8) });
  });

  it('after a retry begins with the retry', () => {
    const retried = [...FAILED, told(500, 'spec', 'Retried')];
    expect(attemptOf(retried)).toEqual({ begun: at(500), ready: null });
    expect(attemptOf([...retried, told(501, 'revision', 'RevisionStarted'), told(507, 'revision', 'RevisionReady')])).toEqual({ begun: at(500), ready: at(507) });
  });

  it('after a change begins with the change, and with going back when that failed', () => {
    const changed = [...READY, told(100, 'spec', 'Changed'), told(101, 'revision', 'RevisionStarted')];
    expect(attemptOf(changed)?.begun).toBe(at(100));
    const reverted = [...changed, told(130, 'revision', 'RevisionFailed'), told(131, 'revision', 'RollingBack'), told(132, 'revision', 'RevisionStarted')];
    expect(attemptOf(reverted)?.begun).toBe(at(131));
  });

  it('for which nobody asked begins with its revision', () => {
    expect(attemptOf([...READY, told(900, 'revision', 'RevisionStarted')])).toEqual({ begun: at(900), ready: null });
  });

  it('is that which was asked for, while the one before it ends', () => {
    expect(attemptOf([...CREATED, told(5, 'spec', 'Changed'), told(6, 'revision', 'RevisionReady')])).toEqual({ begun: at(5), ready: null });
  });

  it('is not known of an empty timeline', () => {
    expect(attemptOf([])).toBeNull();
  });
});
