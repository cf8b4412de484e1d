import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiFailure } from './client.ts';
import { endSession } from './session.ts';

const MAX_RETRIES = 2;

function followSession(error: Error): void {
  if (error instanceof ApiFailure && error.problem.status === 401) endSession(queryClient);
}

/** What was asked for, and what is kept of it. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: followSession }),
  mutationCache: new MutationCache({ onError: followSession }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) => count < MAX_RETRIES && error instanceof ApiFailure && error.isPassing,
    },
  },
});
