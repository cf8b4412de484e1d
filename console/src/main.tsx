import './mantine-styles.ts';
import './style.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiFailure } from './api/client.ts';
import { forgetSession } from './api/session.ts';
import { router } from './router.tsx';
import { theme } from './theme.ts';

const MAX_RETRIES = 2;

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A token that was revoked meanwhile.
    onError: (error) => {
      if (error instanceof ApiFailure && error.problem.status === 401) forgetSession(client);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) => count < MAX_RETRIES && error instanceof ApiFailure && error.isPassing,
    },
  },
});

const nonce = document.querySelector<HTMLMetaElement>('meta[name="conveyor-nonce"]')?.content ?? '';
// Dialogs write a style of their own (nothing behind them scrolls); the package that does so looks here for its nonce.
Object.assign(window, { __webpack_nonce__: nonce });

const root = document.getElementById('root');
if (!root) throw new Error('assertion failed: index.html has a root');

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
