/** What went wrong behind a page that goes on to be shown: in words, in nobody's way. */
import { Button } from '@mantine/core';
import { notifyManager, type Query, type QueryClient, useMutationState, useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';

import { Problem, sentence } from '../api/client';
import { Notice } from './Notice';
import { SIGN_OUT, useSignOut } from './useSignOut';

export function Notices() {
  return (
    <>
      <OldData />
      <StillSignedIn />
    </>
  );
}

/** What is shown was read once, but could not be read again. */
export function couldNotBeReadAgain(query: Query): boolean {
  const { data, error, status, fetchMeta } = query.state;
  if (status !== 'error' || data === undefined || !query.isActive()) return false;
  if (fetchMeta?.fetchMore) return false; // the list itself says that it is not whole
  return !(error instanceof Problem && (error.status === 401 || error.status === 404)); // signing in; gone
}

const NAMES: Readonly<Record<string, string>> = {
  me: 'your account', stores: 'the list of stores', store: 'the store', events: 'the timeline', resources: 'the resources',
  revisions: 'the history', evidence: 'the evidence', overview: 'the overview', plans: 'the plans',
};

/** The failed readings, as text: a snapshot has to be the same while nothing changed. */
function summary(client: QueryClient): string {
  const failed = client.getQueryCache().findAll({ predicate: couldNotBeReadAgain });
  const first = failed[0];
  if (first === undefined) return '';
  const names = new Set(failed.map(({ queryKey }) => NAMES[String(queryKey[0])] ?? 'a part of this page'));
  return `${[...names].join(', ')} could not be read again. ${sentence(first.state.error)}`;
}

function OldData() {
  const client = useQueryClient();
  const cache = client.getQueryCache();
  const said = useSyncExternalStore(
    useCallback((changed) => cache.subscribe(notifyManager.batchCalls(changed)), [cache]),
    () => summary(client),
  );
  if (said === '') return null;
  const again = () => void client.refetchQueries({ predicate: couldNotBeReadAgain });
  return (
    <Notice name="What is shown may be old" text={said}>
      <TryAgain again={again} />
    </Notice>
  );
}

function StillSignedIn() {
  const tries = useMutationState({ filters: { mutationKey: SIGN_OUT }, select: ({ state }) => state });
  const signOut = useSignOut();
  const last = tries[tries.length - 1];
  if (last?.status !== 'error') return null;
  return (
    <Notice name="You are still signed in" text={sentence(last.error)}>
      <TryAgain again={() => signOut.mutate()} />
    </Notice>
  );
}

function TryAgain({ again }: { again: () => void }) {
  return (
    <Button size="xs" variant="default" onClick={again}>
      Try again
    </Button>
  );
}
