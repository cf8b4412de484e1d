import { type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import type { SessionJson } from '#gateway/api-session.ts';
import { ApiFailure, call, get, post } from './client.ts';

/** Who is signed in. */
export type Session = SessionJson;

/** The page came with it; absent where the gateway could not say. */
function readEmbedded(): Session | null | undefined {
  const text = document.querySelector<HTMLMetaElement>('meta[name="conveyor-session"]')?.content ?? '';
  return text === '' || text.startsWith('__') ? undefined : (JSON.parse(text) as Session | null);
}

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await get<Session>('/session', { signal });
    } catch (error) {
      if (error instanceof ApiFailure && error.problem.status === 401) return null;
      throw error;
    }
  },
  initialData: readEmbedded,
  staleTime: 60_000,
});

/** The session of whoever uses the console; only below the sign-in (see `Shell`), where there is one. */
export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  if (!data) throw new Error('assertion failed: pages are shown to who is signed in');
  return data;
}

export function useIsOperator(): boolean {
  return useSession().role === 'operator';
}

export function useSignIn(): (token: string) => Promise<void> {
  const client = useQueryClient();
  return async (token) => {
    client.setQueryData(sessionQuery.queryKey, await post<Session>('/session', { body: { token } }));
  };
}

/** Shows the sign-in, and keeps nothing of what the one before could see. */
export function forgetSession(client: QueryClient): void {
  client.setQueryData(sessionQuery.queryKey, null);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await call('DELETE', '/session');
    forgetSession(client);
  };
}
