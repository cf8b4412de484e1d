import { Command } from 'commander';
import type { ApiClient } from '../client.ts';
import { findNode, NODE_COLUMNS, type ShownNode } from '../cluster.ts';
import { confirm } from '../confirm.ts';
import type { InterventionOptions } from '../intervene.ts';
import { addExamples, addOutput, formatOf } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { printData, say } from '../print.ts';

type Verb = 'drain' | 'resume' | 'stop' | 'transfer';

interface SteerOptions extends InterventionOptions {
  dryRun?: boolean;
}

const WORDS: Record<Verb, { description: string; effect: (node: ShownNode) => string }> = {
  drain: {
    description: 'Let a node finish what it runs and take nothing new.',
    effect: ({ busy }) => `It would take no new orders; ${count(busy)} it runs would go on to their ends.`,
  },
  resume: { description: 'Let a drained node take orders again.', effect: () => 'It would take orders again.' },
  stop: {
    description: 'Let a node leave: present steps end, their orders go on elsewhere, its process ends.',
    effect: ({ busy }) => `Its process would end; ${count(busy)} it runs would end their present steps and go on elsewhere.`,
  },
  transfer: {
    description: "Hand a node's orders to the others at once, whether it lives or not.",
    effect: ({ busy }) => `The present steps of ${count(busy)} would be aborted there and run again elsewhere.`,
  },
};

export function nodesSteerCommand(verb: Verb): Command {
  const { description, effect } = WORDS[verb];
  const command = new Command(verb)
    .description(description)
    .argument('<id-or-name>', 'the node')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--dry-run', 'only say what would happen')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, `conveyor nodes ${verb} worker-2 --reason "kernel update" --yes`);
  return command.action(async (idOrName: string, options: SteerOptions) => {
    await withClient(command, async (client) => {
      const node = await findNode(client, idOrName);
      if (options.dryRun) {
        say(effect(node));
        return;
      }
      await confirm(`${verb} node ${node.name}? ${effect(node)}`, options.yes);
      const steered = await steer(client, verb, node, options.reason);
      printData({ document: steered.document, rows: [steered.node], columns: NODE_COLUMNS, empty: '' }, formatOf(options));
    });
  });
}

interface Steered {
  node: ShownNode;
  document: unknown;
}

async function steer(client: ApiClient, verb: Verb, node: ShownNode, reason: string | undefined): Promise<Steered> {
  const why = reason === undefined ? {} : { reason };
  if (verb === 'transfer') {
    const body = { service_id: node.node_id, ...why };
    const document = (await client.call({ method: 'POST', path: '/service/transfer', body })) as { orders: number };
    say(`${document.orders} orders were handed to the others.`);
    return { node: await findNode(client, node.node_id), document };
  }
  const steered = (await client.call({ method: 'POST', path: `/nodes/${node.node_id}/${verb}`, body: why })) as ShownNode;
  return { node: steered, document: steered };
}

function count(busy: number): string {
  return busy === 1 ? '1 order' : `${busy} orders`;
}
