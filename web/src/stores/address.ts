import { idProblem } from './ids';

/**
 * The address that a store will have, or null where its id is none. Scheme and port are as in `told`,
 * an address that the service told of the same draft or of an earlier one.
 */
export function addressOf({ id, domain }: { id: string; domain: string }, baseDomain: string, told: string | null): string | null {
  if (id === '' || idProblem(id) !== null) return null;
  const host = domain.trim() === '' ? `store-${id}.${baseDomain}` : domain.trim().toLowerCase();
  if (told === null || !URL.canParse(told)) return host;
  const { protocol, port } = new URL(told);
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}`;
}
