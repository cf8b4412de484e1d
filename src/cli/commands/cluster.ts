import { Command } from 'commander';
import { NODE_COLUMNS, readCluster, WAREHOUSE_COLUMNS } from '../cluster.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { printData } from '../print.ts';

export function clusterCommand(): Command {
  const command = new Command('cluster').description('The warehouses with their leaders, and the nodes with their sessions.');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor cluster', 'conveyor cluster --json | jq -r .leader_name');
  return command.action(async (options: OutputOptions) => {
    const cluster = await withClient(command, readCluster);
    const format = formatOf(options);
    if (format === 'table' || format === 'wide') {
      printData({ document: cluster, rows: cluster.warehouses, columns: WAREHOUSE_COLUMNS, empty: 'No warehouses.' }, format);
      process.stdout.write('\n');
    }
    printData({ document: cluster, rows: cluster.nodes, columns: NODE_COLUMNS, empty: 'No nodes.' }, format);
  });
}
