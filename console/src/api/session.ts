import { type QueryClient, queryOptions, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { SessionJson } from '#gateway/api-session.ts';
import { call, get, post } from './client.ts';

/** Who is signed in. */
export type Session = SessionJson;

/** `ended`: somebody was, until an answer said that nobody is any more. */
type SignedOut = 'nobody' | 'ended';

/** The page came with it; absent where the gateway could not say. */
function readEmbedded(): Session | SignedOut | undefined {
  const text = document.querySelector<HTMLMetaElement>('meta[name="conveyor-session"]')?.content ?? '';
  return text === '' || text.startsWith('__') ? undefined : ((JSON.parse(text) as Session | null) ?? 'nobody');
}

/** That nobody is signed in is learnt from its answer as from that of any other request: see {@link endSession}. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }): Promise<Session | SignedOut> => get<Session>('/session', { signal }),
  initialData: readEmbedded,
  staleTime: 60_000,
});

/**
 * Who is signed in, below the sign-in (see `Shell`). Not each page's own look at the query: what is shown goes all at once when the
 * session ends, however many answers come at that moment.
 */
export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('assertion failed: pages are shown to who is signed in');
  return session;
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

/** An answer said that nobody is signed in: the token was revoked, its cookie has run out, or another tab signed out. */
export function endSession(client: QueryClient): void {
  const before = client.getQueryData(sessionQuery.queryKey);
  forgetSession(client, before === undefined || before === 'nobody' ? 'nobody' : 'ended');
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await call('DELETE', '/session');
    forgetSession(client, 'nobody');
  };
}

/** Shows the sign-in, and keeps nothing of what the one before could see. */
function forgetSession(client: QueryClient, state: SignedOut): void {
  client.setQueryData(sessionQuery.queryKey, state);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}
