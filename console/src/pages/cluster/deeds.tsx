import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useState } from 'react';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { post } from '../../api/client.ts';
import { countOf } from '../../format.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { type AskFor, wordsOf } from './words.ts';

export interface Asking {
  /** Kept while the dialog closes, so that its words do not vanish before it. */
  ask: AskFor | undefined;
  isOpen: boolean;
}

/** What is asked for, and by which dialog; `ask` opens it. */
export function useAsking(): { asking: Asking; ask: (ask: AskFor) => void; close: () => void } {
  const [asking, setAsking] = useState<Asking>({ ask: undefined, isOpen: false });
  const ask = useCallback((wanted: AskFor) => setAsking({ ask: wanted, isOpen: true }), []);
  const close = useCallback(() => setAsking((before) => ({ ...before, isOpen: false })), []);
  return { asking, ask, close };
}

/** Says what will happen, asks why, and does it. */
export function DeedDialog({ asking, nodes, onClose }: { asking: Asking; nodes: readonly NodeJson[]; onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const { ask, isOpen } = asking;
  if (!ask) return null;
  const { title, verb, isDangerous, says } = wordsOf(ask, nodes);
  const onConfirm = async (reason: string | undefined): Promise<void> => {
    notifications.show({ message: await carryOut(ask, reason) });
    await Promise.all(['cluster', 'warehouses', 'conflicts'].map((key) => client.invalidateQueries({ queryKey: [key] })));
  };
  return (
    <Confirm opened={isOpen} onClose={onClose} title={title} verb={verb} isDangerous={isDangerous} onConfirm={onConfirm}>
      {says.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </Confirm>
  );
}

/** What it says afterwards. */
async function carryOut(ask: AskFor, reason: string | undefined): Promise<string> {
  const body = { reason };
  switch (ask.does) {
    case 'transfer': {
      const { orders } = await post<{ orders: number }>('/service/transfer', { body: { service_id: ask.id, ...body } });
      return `${countOf(orders, 'order')} of ${ask.name} went to others`;
    }
    case 'disable':
    case 'enable':
      await post(`/warehouses/${encodeURIComponent(ask.warehouse)}/${ask.does}`, { body });
      return `${ask.warehouse} is ${ask.does}d`;
    case 'resolve':
      await post(`/conflicts/${ask.conflict}/resolve`, { body });
      return 'The conflict is resolved';
    default:
      await post(`/nodes/${ask.id}/${ask.does}`, { body });
      return { drain: `${ask.name} drains`, stop: `${ask.name} stops`, resume: `${ask.name} goes on` }[ask.does];
  }
}
