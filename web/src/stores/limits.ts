import type { Me } from '../api/types';

/** How many stores one may still make; a limit may have been lowered below what there is. */
export function storesLeft({ limits: { stores: limit }, use: { stores: used } }: Pick<Me, 'limits' | 'use'>): string {
  if (limit === null) return 'No limit on stores';
  return used > limit ? `${used} of ${limit}: over the limit` : `${limit - used} of ${limit} left`;
}

/** Said to somebody who cannot change the limit. */
export const limitReached = ({ limits: { stores: limit } }: Pick<Me, 'limits'>): string =>
  `You have as many stores as you may have${limit === null ? '' : ` (${limit})`}. Delete one, or ask whoever runs this service for more.`;
