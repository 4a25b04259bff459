import '@mantine/core/styles.css';
import './ui/page.css';

import { MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';

import { Problem } from './api/client';
import { App } from './App';
import { theme } from './ui/theme';

// A session that ended is noticed by whatever is asked next; who one is decides what is shown.
const signedOut = (error: Error) => {
  const known = client.getQueryData(['me']) !== undefined;
  if (known && error instanceof Problem && error.status === 401) void client.invalidateQueries({ queryKey: ['me'] });
};

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => query.queryKey[0] !== 'me' && signedOut(error) }),
  mutationCache: new MutationCache({ onError: signedOut }),
  defaultOptions: {
    // Whether the network is there the call itself finds out. A change is never put off until the browser
    // says that it is back: nobody expects it then. And a service on this machine needs no network.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      // The stream says when something changed; nothing is asked again without a reason.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 3 && (!(error instanceof Problem) || error.status === 0 || error.status >= 500),
    },
  },
});

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
setNonce(nonce); // for the style tag of whatever locks the page's scrolling behind a dialog
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={client}>
          <BrowserRouter>
            <App />
          </BrowserRouter>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
