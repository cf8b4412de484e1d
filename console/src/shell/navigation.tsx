import { Kbd, NavLink } from '@mantine/core';
import IconActivity from '@tabler/icons-react/dist/esm/icons/IconActivity.mjs';
import IconClipboardList from '@tabler/icons-react/dist/esm/icons/IconClipboardList.mjs';
import IconHistory from '@tabler/icons-react/dist/esm/icons/IconHistory.mjs';
import IconPackages from '@tabler/icons-react/dist/esm/icons/IconPackages.mjs';
import IconPlus from '@tabler/icons-react/dist/esm/icons/IconPlus.mjs';
import IconRefresh from '@tabler/icons-react/dist/esm/icons/IconRefresh.mjs';
import IconServer from '@tabler/icons-react/dist/esm/icons/IconServer.mjs';
import IconWebhook from '@tabler/icons-react/dist/esm/icons/IconWebhook.mjs';
import { Link, useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';

export const NAVIGATION = [
  { to: '/', label: 'Overview', keys: 'g h', Icon: IconActivity, isForOperators: true },
  { to: '/ui/orders', label: 'Orders', keys: 'g o', Icon: IconPackages, isForOperators: false },
  { to: '/ui/cluster', label: 'Cluster', keys: 'g c', Icon: IconServer, isForOperators: true },
  { to: '/ui/place', label: 'Place an order', keys: 'g n', Icon: IconPlus, isForOperators: false },
  { to: '/ui/generator', label: 'Generator', keys: 'g s', Icon: IconRefresh, isForOperators: true },
  { to: '/ui/webhooks', label: 'Webhooks', keys: 'g w', Icon: IconWebhook, isForOperators: false },
  { to: '/ui/audit', label: 'Audit', keys: 'g a', Icon: IconHistory, isForOperators: true },
] as const;

export function Navigation({ isOperator }: { isOperator: boolean }): ReactNode {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <nav aria-label="Pages">
      {NAVIGATION.filter((entry) => isOperator || !entry.isForOperators).map(({ to, label, keys, Icon }) => (
        <NavLink
          key={to}
          component={Link}
          to={to}
          label={label}
          leftSection={<Icon size={16} stroke={1.6} aria-hidden />}
          rightSection={
            <Kbd size="xs" visibleFrom="sm" aria-hidden>
              {keys}
            </Kbd>
          }
          active={to === '/' ? path === '/' : path.startsWith(to)}
          aria-current={path === to ? 'page' : undefined}
          py={5}
        />
      ))}
      <NavLink
        component="a"
        href="/docs"
        label="API documentation"
        leftSection={<IconClipboardList size={16} stroke={1.6} aria-hidden />}
        py={5}
      />
    </nav>
  );
}
