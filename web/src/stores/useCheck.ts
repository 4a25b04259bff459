import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { call, Problem } from '../api/client';
import type { Store } from '../api/types';
import { bodyOf, type Draft } from './draft';

const SETTLED = 350;
const AGAIN = 3_000;

interface Check {
  /** What is wrong with the draft, by the service's own checks. */
  problem: Problem | null;
  /** The store's address. */
  address: string | null;
}

/** It says nothing of the draft: it was not looked at. */
const unanswered = (problem: Problem | null | undefined): boolean =>
  problem !== null && problem !== undefined && (problem.status === 0 || problem.status === 429 || problem.status >= 500);

/**
 * Have the service look at a draft while somebody types; it is asked again while it does not answer. The
 * address is of this draft or of the last that was right.
 */
export function useCheck(draft: Draft): Check & { unchecked: boolean } {
  const [settled] = useDebouncedValue(draft, SETTLED);
  const [address, setAddress] = useState<string | null>(null);
  const enabled = settled.name.trim() !== '';
  const { data } = useQuery({
    queryKey: ['check', settled],
    enabled,
    retry: false,
    gcTime: 0,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (unanswered(state.data?.problem) ? AGAIN : false),
    queryFn: async (): Promise<Check> => {
      try {
        return { problem: null, address: (await call<Store>('POST', '/stores?dryRun=true', bodyOf(settled))).url };
      } catch (error) {
        if (!(error instanceof Problem) || error.status === 401) throw error; // signed out, which is seen to elsewhere
        return { problem: error, address: null };
      }
    },
  });
  const told = data?.address ?? address;
  if (told !== address) setAddress(told);
  const unchecked = enabled && unanswered(data?.problem);
  return { unchecked, problem: enabled && !unchecked ? (data?.problem ?? null) : null, address: told };
}
