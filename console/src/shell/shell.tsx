import { AppShell, Burger } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo } from 'react';
import { liveFeed } from '../api/live.ts';
import { type Session, SessionContext, sessionQuery } from '../api/session.ts';
import { OnceDrawn } from '../parts/once-drawn.tsx';
import { Loading, PageFailure } from '../parts/states.tsx';
import { Attention } from './attention.tsx';
import { LiveMark } from './live-mark.tsx';
import { NAVIGATION, Navigation } from './navigation.tsx';
import classes from './shell.module.css';
import { ShortcutHelp, useShortcutKeys, useShortcuts } from './shortcuts.tsx';
import { SignIn } from './sign-in.tsx';
import { UserMenu } from './user-menu.tsx';

/** What is around every page: who is signed in, where one can go, whether what one sees is live. */
export function Shell(): ReactNode {
  const { data: session, error, refetch } = useQuery(sessionQuery);
  if (session === undefined) return error ? <PageFailure error={error} reset={() => void refetch()} /> : <Loading what="the console" />;
  if (typeof session !== 'object') return <SignIn hasEnded={session === 'ended'} />;
  return (
    <SessionContext value={session}>
      <SignedIn session={session} />
    </SessionContext>
  );
}

function SignedIn({ session }: { session: Session }): ReactNode {
  const isOperator = session.role === 'operator';
  const [isOpen, { toggle, close }] = useDisclosure();
  const [isHelpOpen, help] = useDisclosure();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useFeed(isOperator);
  useShellShortcuts(isOperator, help.open);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu of a phone closes when another page opens.
  useEffect(close, [path]);
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 212, breakpoint: 'sm', collapsed: { mobile: !isOpen } }} padding="md">
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <AppShell.Header>
        <div className={classes['header']}>
          <div className={classes['side']}>
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={isOpen ? 'Close the menu' : 'Open the menu'} />
            <Link to="/" className={classes['home']}>
              <img src="/favicon.svg" alt="" width={22} height={22} />
              <span className={classes['word']}>Conveyor</span>
            </Link>
          </div>
          <OnceDrawn until={null}>{isOperator ? <Attention /> : null}</OnceDrawn>
          <div className={classes['side']}>
            <LiveMark />
            <UserMenu session={session} onHelp={help.open} />
          </div>
        </div>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <Navigation isOperator={isOperator} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
      {isHelpOpen ? <ShortcutHelp onClose={help.close} /> : null}
    </AppShell>
  );
}

/** Events of all orders are for operators; a customer's pages ask again every few seconds. */
function useFeed(isOperator: boolean): void {
  useEffect(() => {
    if (!isOperator) return;
    liveFeed.start();
    return () => liveFeed.stop();
  }, [isOperator]);
}

function useShellShortcuts(isOperator: boolean, openHelp: () => void): void {
  const navigate = useNavigate();
  useShortcutKeys();
  const shortcuts = useMemo(
    () => [
      { keys: '?', does: 'Show what the keyboard does', run: openHelp },
      { keys: '/', does: 'Search orders', run: () => focusSearch(() => void navigate({ to: '/ui/orders', search: { focus: 'search' } })) },
      ...NAVIGATION.filter((entry) => isOperator || !entry.isForOperators).map(({ to, keys, label }) => ({
        keys,
        does: `Go to: ${label}`,
        run: () => void navigate({ to }),
      })),
    ],
    [isOperator, openHelp, navigate],
  );
  useShortcuts(shortcuts);
}

/** The page's own search box, or the one of the orders. */
function focusSearch(orElse: () => void): void {
  const box = document.querySelector<HTMLElement>('[data-search]');
  if (box) box.focus();
  else orElse();
}
