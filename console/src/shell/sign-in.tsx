import { Anchor, Button, Center, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useSignIn } from '../api/session.ts';
import { Failure } from '../parts/states.tsx';

const isDevelopment = document.querySelector<HTMLMetaElement>('meta[name="conveyor-development"]')?.content === 'true';

/** A token becomes a cookie that no script can read. `hasEnded`: somebody was signed in on this page a moment ago. */
export function SignIn({ hasEnded }: { hasEnded: boolean }): ReactNode {
  const signIn = useSignIn();
  const [token, setToken] = useState('');
  const attempt = useMutation({ mutationFn: signIn });
  useEffect(() => {
    document.title = 'Sign in · Conveyor';
  }, []);
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper className="panel" p="lg" w={400} maw="100%">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            attempt.mutate(token.trim());
          }}
        >
          <Stack gap="md">
            <Group gap="xs">
              <img src="/favicon.svg" alt="" width={28} height={28} />
              <Title order={1}>Conveyor</Title>
            </Group>
            {hasEnded ? (
              <Text role="status">
                The session has ended: it ran out, its token was revoked, or another tab signed out. Sign in to go on where you were.
              </Text>
            ) : null}
            <PasswordInput
              label="Access token"
              description="An operator sees everything, a customer its own orders"
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              autoComplete="current-password"
              required
              data-autofocus
            />
            {attempt.error ? <Failure error={attempt.error} /> : null}
            <Button type="submit" size="sm" loading={attempt.isPending} disabled={token.trim() === ''}>
              Sign in
            </Button>
            {isDevelopment ? (
              <DevelopmentTokens onChoose={attempt.mutate} />
            ) : (
              <Text className="faint">
                Tokens are made with <code>conveyor token create</code>. <Anchor href="/docs">API documentation</Anchor>
              </Text>
            )}
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

function DevelopmentTokens({ onChoose }: { onChoose: (token: string) => void }): ReactNode {
  return (
    <Stack gap={6}>
      <Text className="faint">This is a development start: two tokens exist.</Text>
      <Group gap="xs" grow>
        <Button variant="default" px="xs" onClick={() => onChoose('operator')}>
          Continue as operator
        </Button>
        <Button variant="default" px="xs" onClick={() => onChoose('user')}>
          Continue as customer
        </Button>
      </Group>
    </Stack>
  );
}
