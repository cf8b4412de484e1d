import { Command } from 'commander';
import { DATABASE_SETTINGS } from '../compose.ts';
import { confirm } from '../confirm.ts';
import { CommandFault, EXIT } from '../faults.ts';
import { addExamples, addOutput, addSettings, formatOf, type OutputOptions } from '../options.ts';
import { printData } from '../print.ts';
import { mergeTokens, recordEverywhere, TOKEN_COLUMNS, withStores } from '../tokens.ts';

export function tokenRevokeCommand(): Command {
  const command = new Command('revoke')
    .description('Make tokens invalid for good, in every warehouse.')
    .argument('<id-or-name>', 'a token id, or a name: then all tokens of that name')
    .option('--yes', 'do not ask');
  addOutput(addSettings(command, DATABASE_SETTINGS));
  addExamples(command, 'conveyor token revoke acme --yes');
  return command.action(async (idOrName: string, options: OutputOptions & { yes?: boolean }) => {
    await confirm(`Revoke every token called ${JSON.stringify(idOrName)}?`, options.yes);
    const rows = await withStores(command, async (stores) => {
      const byWarehouse = stores.map(async (store) => ({ warehouse: store.warehouse.name, tokens: await store.tokens.revoke(idOrName) }));
      const revoked = mergeTokens(await Promise.all(byWarehouse));
      for (const { name } of revoked) await recordEverywhere(stores, 'token.revoke', name);
      return revoked;
    });
    if (rows.length === 0) {
      throw new CommandFault(
        EXIT.failed,
        `no valid token has the id or name ${JSON.stringify(idOrName)}`,
        'conveyor token list shows all.',
      );
    }
    printData({ document: { revoked: rows }, rows, columns: TOKEN_COLUMNS, empty: '' }, formatOf(options));
  });
}
