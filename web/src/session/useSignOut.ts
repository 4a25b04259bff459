import { useMutation, useQueryClient } from '@tanstack/react-query';

import { call, Problem } from '../api/client';

export const SIGN_OUT = ['sign-out'] as const;

/** End the session; what was seen in it is gone from the page. When that fails, a notice says so. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationKey: SIGN_OUT,
    mutationFn: async () => {
      try {
        await call('DELETE', '/session');
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 401) throw error; // it has ended already
      }
    },
    onSuccess: () => {
      client.clear();
      window.location.assign('/');
    },
  });
}
