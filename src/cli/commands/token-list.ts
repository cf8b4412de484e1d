import { Command } from 'commander';
import { DATABASE_SETTINGS } from '../compose.ts';
import { addExamples, addOutput, addSettings, formatOf, type OutputOptions } from '../options.ts';
import { printData } from '../print.ts';
import { mergeTokens, TOKEN_COLUMNS, withStores } from '../tokens.ts';

export function tokenListCommand(): Command {
  const command = new Command('list').description('All access tokens, revoked ones included; the tokens themselves are not kept.');
  addOutput(addSettings(command, DATABASE_SETTINGS));
  addExamples(command, 'conveyor token list', 'conveyor token list -o wide');
  return command.action(async (options: OutputOptions) => {
    const byWarehouse = await withStores(command, (stores) =>
      Promise.all(stores.map(async (store) => ({ warehouse: store.warehouse.name, tokens: await store.tokens.list() }))),
    );
    const rows = mergeTokens(byWarehouse);
    printData(
      { document: { tokens: rows }, rows, columns: TOKEN_COLUMNS, empty: 'no tokens; conveyor token create makes one' },
      formatOf(options),
    );
  });
}
