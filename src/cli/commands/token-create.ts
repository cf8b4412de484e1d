import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '#domain/errors.ts';
import type { Role, Store } from '#engine/store.ts';
import { DATABASE_SETTINGS } from '../compose.ts';
import { CommandFault, EXIT } from '../faults.ts';
import { addExamples, addOutput, addSettings, formatOf, type OutputOptions } from '../options.ts';
import { printData, say } from '../print.ts';
import { recordEverywhere, withStores } from '../tokens.ts';

interface CreateOptions extends OutputOptions {
  role: Role;
  name: string;
}

export function tokenCreateCommand(): Command {
  const command = new Command('create')
    .description('Make an access token and show it once.')
    .addOption(new Option('--role <role>', 'what it may do').choices(['customer', 'operator', 'join']).makeOptionMandatory())
    .requiredOption('--name <name>', "whose it is; a customer's orders belong to this name", readName);
  addOutput(addSettings(command, DATABASE_SETTINGS));
  addExamples(
    command,
    'conveyor token create --role customer --name acme',
    'CONVEYOR_TOKEN=$(conveyor token create --role operator --name ops)',
  );
  return command.action(async (options: CreateOptions) => {
    const token = `cvy_${randomBytes(32).toString('base64url')}`;
    const created = { token_id: randomUUID(), name: options.name, role: options.role, token };
    await withStores(command, async (stores) => {
      await storeEverywhere(stores, created);
      await recordEverywhere(stores, 'token.create', created.name);
    });
    const format = formatOf(options);
    if (format !== 'table') say(`Keep this token: it is not shown again.`);
    else say(`Token of ${created.role} ${created.name}; keep it, it is not shown again:`);
    const rows = [created];
    if (format === 'table') process.stdout.write(`${token}\n`);
    else printData({ document: created, rows, columns: Object.keys(created).map(columnOf), empty: '' }, format);
  });
}

function columnOf(name: string): { title: string; text: (row: Record<string, string>) => string } {
  return { title: name.toUpperCase(), text: (row) => row[name] ?? '' };
}

/** In every warehouse or in none: a token that some gateways know and others do not would be a riddle. */
async function storeEverywhere(
  stores: readonly Store[],
  created: { token_id: string; name: string; role: Role; token: string },
): Promise<void> {
  const hash = createHash('sha256').update(created.token).digest();
  const entry = { tokenId: created.token_id, hash, name: created.name, role: created.role };
  const outcomes = await Promise.allSettled(stores.map((store) => store.tokens.create(entry)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return;
  await Promise.allSettled(stores.map((store) => store.tokens.revoke(created.token_id)));
  throw new CommandFault(EXIT.failed, `the token could not be stored in every warehouse, so it was revoked: ${messageOf(failed.reason)}`);
}

function readName(text: string): string {
  if (/^[A-Za-z0-9._@-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('1 to 64 of A-Z a-z 0-9 . _ @ - are expected.');
}
