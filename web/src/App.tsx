import { Alert } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';

import { Problem } from './api/client';
import type { Me } from './api/types';
import { Live } from './live/Live';
import { Notices } from './session/Notices';
import { OtherPerson } from './session/OtherPerson';
import { identityOf, readMe } from './session/person';
import { Shelf } from './session/Shelf';
import { useLoginLink } from './session/useLoginLink';
import { BulkProgress } from './stores/BulkProgress';
import { BulkRun } from './stores/BulkRun';
import { NewStore } from './stores/NewStore';
import { NotMade } from './stores/NotMade';
import { Boundary } from './ui/Boundary';
import { Frame } from './ui/Frame';
import { afterFirstSight, lazyAgain } from './ui/lazyAgain';
import { Trouble } from './ui/Trouble';
import { Waiting } from './ui/Waiting';

const VIEW = { h: '50dvh' };
const SignIn = lazyAgain(() => import('./session/SignIn'), VIEW);
const StoresPage = lazyAgain(() => import('./stores/StoresPage'), VIEW);
const StorePage = lazyAgain(() => import('./store/StorePage'), VIEW);
const OperatorPage = lazyAgain(() => import('./operator/OperatorPage'), VIEW);

const waiting = (
  <main>
    <Waiting h="50dvh" />
  </main>
);

export function App() {
  const client = useQueryClient();
  const me = useQuery({ queryKey: ['me'], queryFn: () => readMe(client) });
  const link = useLoginLink(me.error);
  const signedOut = me.error instanceof Problem && me.error.status === 401;
  if (me.isPending || (signedOut && link.waits)) return waiting;
  if (signedOut) return <SignIn problem={link.problem} />;
  if (!me.data) return <Trouble error={me.error} again={() => void me.refetch()} />;
  if (link.waits) return <OtherPerson me={me.data} link={link} />;
  // Somebody else begins anew: another stream, and no view that knows what the one before saw.
  return <SignedIn key={identityOf(me.data)} me={me.data} linkProblem={link.problem} />;
}

function SignedIn({ me, linkProblem }: { me: Me; linkProblem: string | null }) {
  const { pathname } = useLocation();
  useEffect(
    () =>
      afterFirstSight(() => {
        StorePage.preload();
        if (me.role === 'admin') OperatorPage.preload();
      }),
    [me.role],
  );
  return (
    <Live>
      <BulkRun>
        <Frame me={me}>
          {linkProblem !== null && (
            <Alert color="orange" role="alert" mb="md">
              You are still signed in as {me.user}. {linkProblem}
            </Alert>
          )}
          <NewStore me={me}>
            <Boundary key={pathname}>
              <Routes>
                <Route path="/" element={<Navigate to="/stores" replace />} />
                <Route path="/stores" element={<StoresPage />} />
                <Route path="/stores/:id" element={<StorePage />} />
                {me.role === 'admin' && <Route path="/operator" element={<OperatorPage />} />}
                <Route path="*" element={<Trouble error={new Problem(404, 'There is no such page.')} />} />
              </Routes>
            </Boundary>
            <Shelf>
              <BulkProgress />
              <NotMade />
              <Notices />
            </Shelf>
          </NewStore>
        </Frame>
      </BulkRun>
    </Live>
  );
}
