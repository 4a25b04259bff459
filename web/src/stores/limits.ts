import type { Me } from '../api/types';

/** How many stores one may still make; a limit may have been lowered below what there is. */
export function storesLeft({ limits: { stores: limit }, use: { stores: used } }: Pick<Me, 'limits' | 'use'>): string {
  if (limit === null) return 'No limit on stores';
  return used > limit ? `${used} of ${limit}: over the limit` : `${limit - used} of ${limit} left`;
}
