/** Who is signed in, and what is forgotten when it is somebody else. */
import type { QueryClient } from '@tanstack/react-query';

import { disown, get, Problem } from '../api/client';
import type { Me } from '../api/types';

/** The same for as long as nothing that was seen has to be forgotten. */
export const identityOf = ({ user, tokenId }: Pick<Me, 'user' | 'tokenId'>): string => JSON.stringify([user, tokenId]);

/** Take note of who signed in. Nothing that somebody else saw, or that grew old meanwhile, is left. */
export function take(client: QueryClient, me: Me): void {
  forget(client);
  client.setQueryData(['me'], me);
}

/** Ask who is signed in: it may be nobody or somebody else by now, by another tab of the browser. */
export async function readMe(client: QueryClient): Promise<Me> {
  try {
    const me = await get<Me>('/me');
    const known = client.getQueryData<Me>(['me']);
    if (known !== undefined && identityOf(known) !== identityOf(me)) forget(client);
    return me;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) forget(client);
    throw error;
  }
}

/** Neither what is known nor what is still on its way is left to whoever comes next. */
function forget(client: QueryClient): void {
  disown();
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
}
