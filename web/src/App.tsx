import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';

import { call, get, Problem, sentence } from './api/client';
import type { Me } from './api/types';
import { Live } from './live/Live';
import { Notices } from './session/Notices';
import { Shelf } from './session/Shelf';
import { BulkProgress } from './stores/BulkProgress';
import { BulkRun } from './stores/BulkRun';
import { Boundary } from './ui/Boundary';
import { Frame } from './ui/Frame';
import { Trouble } from './ui/Trouble';
import { Waiting } from './ui/Waiting';

const SignIn = lazy(() => import('./session/SignIn'));
const StoresPage = lazy(() => import('./stores/StoresPage'));
const StorePage = lazy(() => import('./store/StorePage'));
const OperatorPage = lazy(() => import('./operator/OperatorPage'));

/** Use the code of a log-in link up, once, and take it out of the address and the history. */
function useLoginLink(): { pending: boolean; problem: string | null } {
  const client = useQueryClient();
  const [code] = useState(() => new URLSearchParams(window.location.search).get('code'));
  const [state, setState] = useState({ pending: code !== null, problem: null as string | null });
  useEffect(() => {
    if (code === null || !new URLSearchParams(window.location.search).has('code')) return;
    window.history.replaceState(null, '', window.location.pathname);
    call<Me>('POST', '/session', { code })
      .then((me) => {
        client.setQueryData(['me'], me);
        setState({ pending: false, problem: null });
      })
      .catch((error: unknown) => setState({ pending: false, problem: sentence(error) }));
  }, [client, code]);
  return state;
}

const waiting = <Waiting h="50dvh" />;

export function App() {
  const link = useLoginLink();
  const { pathname } = useLocation();
  const me = useQuery({ queryKey: ['me'], queryFn: () => get<Me>('/me'), enabled: !link.pending });
  if (link.pending || me.isPending) return waiting;
  if (me.error instanceof Problem && me.error.status === 401)
    return (
      <Suspense fallback={waiting}>
        <SignIn problem={link.problem} />
      </Suspense>
    );
  if (!me.data) return <Trouble error={me.error} again={() => void me.refetch()} />;
  return (
    <Live>
      <BulkRun>
        <Frame me={me.data}>
          <Boundary key={pathname}>
            <Suspense fallback={waiting}>
              <Routes>
                <Route path="/" element={<Navigate to="/stores" replace />} />
                <Route path="/stores" element={<StoresPage me={me.data} />} />
                <Route path="/stores/:id" element={<StorePage />} />
                {me.data.role === 'admin' && <Route path="/operator" element={<OperatorPage />} />}
                <Route path="*" element={<Trouble error={new Problem(404, 'There is no such page.')} />} />
              </Routes>
            </Suspense>
          </Boundary>
          <Shelf>
            <BulkProgress />
            <Notices />
          </Shelf>
        </Frame>
      </BulkRun>
    </Live>
  );
}
