import { Button, Menu, useMantineColorScheme } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type Session, useSignOut } from '../api/session.ts';
import { MenuButton } from '../parts/menu-button.tsx';

const SCHEMES = [
  { scheme: 'light', label: 'Light' },
  { scheme: 'dark', label: 'Dark' },
  { scheme: 'auto', label: 'As the system has it' },
] as const;

export function UserMenu({ session, onHelp }: { session: Session; onHelp: () => void }): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const signOut = useMutation({
    mutationFn: useSignOut(),
    onSuccess: () => navigate({ to: '/' }),
    onError: ({ message }) => notifications.show({ message: `You are still signed in. ${message}`, withBorder: true }),
  });
  return (
    <MenuButton
      widthPx={210}
      button={
        <Button variant="default" maw={180} aria-label={`Menu of ${session.name}`}>
          {session.name}
        </Button>
      }
    >
      <Menu.Label>Signed in as {session.role}</Menu.Label>
      {SCHEMES.map(({ scheme, label }) => (
        <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)} aria-current={colorScheme === scheme ? 'true' : undefined}>
          {colorScheme === scheme ? `✓ ${label}` : label}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item onClick={onHelp}>Keyboard</Menu.Item>
      <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
    </MenuButton>
  );
}
