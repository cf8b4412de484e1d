import type { NodeJson } from '#gateway/api-cluster.ts';

/** What the dialogs of the cluster say: what will happen, before anything does. Pure. */

export type NodeDeed = 'drain' | 'stop' | 'resume' | 'transfer';

export type AskFor =
  | { does: NodeDeed; id: string; name: string; warehouse: string }
  | { does: 'disable' | 'enable'; warehouse: string }
  | { does: 'resolve'; conflict: string };

export interface Words {
  title: string;
  verb: string;
  isDangerous: boolean;
  says: string[];
}

export function wordsOf(ask: AskFor, nodes: readonly NodeJson[]): Words {
  switch (ask.does) {
    case 'disable':
    case 'enable':
      return wordsOfWarehouse(ask.does, ask.warehouse);
    case 'resolve':
      return {
        title: 'Resolve the conflict',
        verb: 'Resolve',
        isDangerous: false,
        says: ['Says that a person looked after it: it leaves the list. Nothing is done to the orders. Write down what was decided.'],
      };
    default:
      return wordsOfNode(ask.does, ask, nodes);
  }
}

function wordsOfWarehouse(does: 'disable' | 'enable', name: string): Words {
  if (does === 'enable')
    return {
      title: `Enable ${name}`,
      verb: 'Enable',
      isDangerous: false,
      says: [`${name} gets the new orders of its region again.`],
    };
  return {
    title: `Disable ${name}`,
    verb: 'Disable',
    isDangerous: true,
    says: [`${name} gets no new orders; others take those of its region. What it has goes on to its end.`],
  };
}

function wordsOfNode(
  does: NodeDeed,
  { id, name, warehouse }: { id: string; name: string; warehouse: string },
  nodes: readonly NodeJson[],
): Words {
  const busy = nodes.filter((node) => node.node_id === id && node.state !== 'dead').reduce((sum, node) => sum + node.busy, 0);
  const has = busy === 0 ? 'no orders now' : busy === 1 ? '1 order now' : `${busy} orders now`;
  const isOnlyOne = !nodes.some((node) => node.warehouse === warehouse && node.node_id !== id && node.state === 'live' && node.connected);
  const alone = `No other node of ${warehouse} takes orders: they wait until one does.`;
  const says: Record<NodeDeed, string> = {
    drain: `It finishes what it has (${has}) and takes nothing new. It stays in the cluster until it is resumed or stopped.`,
    stop: `It takes nothing new. Its present steps may end (it has ${has}), what is not finished then is handed back and goes on elsewhere. It leaves the cluster and comes back only when somebody starts it.`,
    resume: 'It takes orders again.',
    transfer: `Its session ends at once, and what it has (${has}) goes on elsewhere at the step it stands at; a step that runs just now runs again there. The node itself begins a new session. Meant for a node that hangs; to take one out of service, drain or stop it.`,
  };
  return {
    title: { drain: 'Drain ', stop: 'Stop ', resume: 'Resume ', transfer: 'Transfer the orders of ' }[does] + name,
    verb: { drain: 'Drain', stop: 'Stop', resume: 'Resume', transfer: 'Transfer' }[does],
    isDangerous: does === 'stop' || does === 'transfer',
    says: [says[does], ...(isOnlyOne && does !== 'resume' ? [alone] : [])],
  };
}
