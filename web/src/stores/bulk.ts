/** One call after the other, at a pace that the rate limit allows. */
import { call, Problem, sentence } from '../api/client';

export type Act = 'delete' | 'retry';

export interface BulkState {
  done: number;
  total: number;
  problems: { id: string; message: string }[];
}

const PAUSE = 150;
const TRIES = 5;
type Sleep = (milliseconds: number) => Promise<void>;
const sleepFor: Sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const request = (act: Act, id: string) =>
  act === 'delete' ? call('DELETE', `/stores/${id}`) : call('POST', `/stores/${id}/retry`);

/** Do it to each; told after each how far it is. A 429 is waited out as the service says. */
export async function bulk(act: Act, ids: readonly string[], tell: (state: BulkState) => void, sleep: Sleep = sleepFor): Promise<BulkState> {
  const state: BulkState = { done: 0, total: ids.length, problems: [] };
  for (const id of ids) {
    const problem = await once(act, id, sleep);
    if (problem !== null) state.problems.push({ id, message: problem });
    state.done += 1;
    tell({ ...state });
    await sleep(PAUSE);
  }
  return state;
}

async function once(act: Act, id: string, sleep: Sleep): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await request(act, id);
      return null;
    } catch (error) {
      if (act === 'delete' && error instanceof Problem && error.status === 404) return null;
      if (!(error instanceof Problem) || error.status !== 429 || attempt === TRIES) return sentence(error);
      await sleep((error.retryAfter ?? 5) * 1000);
    }
  }
}
