/** Evidence as it is shown. The document is open by design, so nothing in it is taken for granted. */
import type { Condition, Evidence } from '../api/types';

export interface ContainerSeen {
  pod: string;
  container: string;
  state: string;
  reason: string;
  message: string;
  restarts: number;
}

export interface LogSeen {
  pod: string;
  container: string;
  previous: boolean;
  text: string;
}

export interface EventSeen {
  time: string;
  reason: string;
  object: string;
  message: string;
  count: number;
}

export interface ConditionSeen {
  type: Condition['type'];
  healthy: boolean;
  message: string;
}

export interface Seen {
  note: string | null;
  containers: ContainerSeen[];
  logs: LogSeen[];
  events: EventSeen[];
  conditions: ConditionSeen[];
}

type Unknown = Record<string, unknown>;

const items = (value: unknown): Unknown[] => (Array.isArray(value) ? value.filter((v): v is Unknown => typeof v === 'object' && v !== null) : []);
const word = (value: unknown): string => (typeof value === 'string' ? value : '');
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** The containers that were not well come first. */
export function read(evidence: Evidence): Seen {
  const containers = items(evidence['containers']).map((c) => ({
    ready: c['ready'] === true,
    pod: word(c['pod']),
    container: word(c['container']),
    state: word(c['state']),
    reason: word(c['reason']),
    message: word(c['message']),
    restarts: count(c['restarts']),
  }));
  return {
    note: word(evidence['note']) || null,
    containers: [...containers].sort((a, b) => Number(a.ready) - Number(b.ready)),
    logs: items(evidence['logs']).map((l) => ({ pod: word(l['pod']), container: word(l['container']), previous: l['previous'] === true, text: word(l['text']) })),
    events: items(evidence['events']).map((e) => ({ time: word(e['time']), reason: word(e['reason']), object: word(e['object']), message: word(e['message']), count: count(e['count']) })),
    conditions: items(evidence['conditions']).map((c) => ({ type: word(c['type']) as Condition['type'], healthy: c['healthy'] === true, message: word(c['message']) })),
  };
}
