import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { call, Problem, sentence } from '../api/client';
import type { Me } from '../api/types';
import { take } from './person';

export interface LoginLink {
  /** A link waits to be used, or is being used. */
  waits: boolean;
  using: boolean;
  problem: string | null;
  use: () => void;
  leave: () => void;
}

/**
 * The code of the log-in link by which the page was opened. It is out of the address and the history at
 * once, and used, once, where nobody is signed in: whoever is has to be asked before.
 */
export function useLoginLink(whoIs: unknown): LoginLink {
  const client = useQueryClient();
  const [code, setCode] = useState(() => new URLSearchParams(window.location.search).get('code'));
  const sent = useRef(false);
  const { mutate, isPending, error } = useMutation({
    mutationFn: (used: string) => call<Me>('POST', '/session', { code: used }),
    onSuccess: (me) => take(client, me),
    onSettled: () => setCode(null),
  });
  useEffect(() => {
    if (new URLSearchParams(window.location.search).has('code')) window.history.replaceState(null, '', window.location.pathname);
  }, []);
  const nobody = whoIs instanceof Problem && whoIs.status === 401;
  useEffect(() => {
    if (code === null || !nobody || sent.current) return;
    sent.current = true;
    mutate(code);
  }, [code, nobody, mutate]);
  return {
    waits: code !== null,
    using: isPending,
    problem: error === null ? null : sentence(error),
    use: () => code !== null && mutate(code),
    leave: () => setCode(null),
  };
}
