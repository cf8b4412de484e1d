import { Command } from 'commander';
import { nodesListCommand } from './nodes-list.ts';
import { nodesSteerCommand } from './nodes-steer.ts';

export function nodesCommand(): Command {
  return new Command('nodes')
    .description('Look at the nodes of the cluster and steer them, through a gateway.')
    .addCommand(nodesListCommand())
    .addCommand(nodesSteerCommand('drain'))
    .addCommand(nodesSteerCommand('resume'))
    .addCommand(nodesSteerCommand('stop'))
    .addCommand(nodesSteerCommand('transfer'));
}
