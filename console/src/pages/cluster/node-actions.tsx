import { ActionIcon, Menu } from '@mantine/core';
import IconDots from '@tabler/icons-react/dist/esm/icons/IconDots.mjs';
import { memo, type ReactNode } from 'react';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { MenuButton } from '../../parts/menu-button.tsx';
import type { AskFor } from './words.ts';

type NodeActionsProps = Pick<NodeJson, 'name' | 'state' | 'asked' | 'warehouse'> & { id: string; onAsk: (ask: AskFor) => void };

/** What an operator can do with a node. */
export const NodeActions = memo(function NodeActions({ id, name, state, asked, warehouse, onAsk }: NodeActionsProps): ReactNode {
  const isLeaving = asked === 'stop';
  const isDraining = !isLeaving && (state === 'draining' || asked === 'drain');
  const ask = (does: 'drain' | 'stop' | 'resume' | 'transfer') => () => onAsk({ does, id, name, warehouse });
  return (
    <MenuButton
      widthPx={200}
      button={
        <ActionIcon variant="subtle" color="gray" size="md" aria-label={`What to do with ${name}`}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      }
    >
      {isLeaving || isDraining ? null : <Menu.Item onClick={ask('drain')}>Drain …</Menu.Item>}
      {isDraining ? <Menu.Item onClick={ask('resume')}>Resume …</Menu.Item> : null}
      {isLeaving ? null : <Menu.Item onClick={ask('stop')}>Stop …</Menu.Item>}
      <Menu.Item onClick={ask('transfer')}>Transfer its orders …</Menu.Item>
    </MenuButton>
  );
});
