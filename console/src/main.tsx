import './mantine-styles.ts';
import './style.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client.ts';
import { OnceDrawn } from './parts/once-drawn.tsx';
import { router } from './router.tsx';
import { theme } from './theme.ts';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="conveyor-nonce"]')?.content ?? '';
// Dialogs write a style of their own (nothing behind them scrolls); the package that does so looks here for its nonce.
Object.assign(window, { __webpack_nonce__: nonce });

const root = document.getElementById('root');
if (!root) throw new Error('assertion failed: index.html has a root');

// What the page shows is asked for before anything is drawn.
void router.load();
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queryClient}>
        <OnceDrawn until={null}>
          <Notifications position="bottom-right" limit={4} />
        </OnceDrawn>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
