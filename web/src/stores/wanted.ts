/** Which stores are wanted and in what order, as the address says it: it can be kept, shared and gone back to. */
import { type Phase, PHASES } from '../api/types';

export interface Wanted {
  q: string;
  phase: Phase | null;
  sort: string;
}

export const SORTS = [
  { value: '-createdAt', label: 'Newest first' },
  { value: 'createdAt', label: 'Oldest first' },
  { value: 'name', label: 'By name' },
  { value: 'phase', label: 'By phase' },
  { value: '-updatedAt', label: 'Changed last' },
];
const USUAL = '-createdAt';

/** Anybody can write an address: what is not known in it is not there. */
export function wantedOf(params: URLSearchParams): Wanted {
  const sort = params.get('sort');
  return {
    q: params.get('q') ?? '',
    phase: PHASES.find((phase) => phase === params.get('phase')) ?? null,
    sort: SORTS.find(({ value }) => value === sort)?.value ?? USUAL,
  };
}

/** The address of what is wanted; what is as usual is left out. */
export function paramsOf({ q, phase, sort }: Wanted): URLSearchParams {
  const params = new URLSearchParams();
  if (q !== '') params.set('q', q);
  if (phase !== null) params.set('phase', phase);
  if (sort !== USUAL) params.set('sort', sort);
  return params;
}
