import IconActivity from '@tabler/icons-react/dist/esm/icons/IconActivity.mjs';
import IconClipboardList from '@tabler/icons-react/dist/esm/icons/IconClipboardList.mjs';
import IconHistory from '@tabler/icons-react/dist/esm/icons/IconHistory.mjs';
import IconPackages from '@tabler/icons-react/dist/esm/icons/IconPackages.mjs';
import IconPlus from '@tabler/icons-react/dist/esm/icons/IconPlus.mjs';
import IconRefresh from '@tabler/icons-react/dist/esm/icons/IconRefresh.mjs';
import IconServer from '@tabler/icons-react/dist/esm/icons/IconServer.mjs';
import IconWebhook from '@tabler/icons-react/dist/esm/icons/IconWebhook.mjs';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import classes from './shell.module.css';

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
  return (
    <nav aria-label="Pages">
      {NAVIGATION.filter((entry) => isOperator || !entry.isForOperators).map(({ to, label, keys, Icon }) => (
        <Link key={to} to={to} className={classes['entry']} activeOptions={{ exact: to === '/', includeSearch: false }}>
          <Icon size={16} stroke={1.6} aria-hidden />
          <span>{label}</span>
          <kbd aria-hidden>{keys}</kbd>
        </Link>
      ))}
      <a href="/docs" className={classes['entry']}>
        <IconClipboardList size={16} stroke={1.6} aria-hidden />
        <span>API documentation</span>
      </a>
    </nav>
  );
}
