import { Command } from 'commander';
import { tokenCreateCommand } from './token-create.ts';
import { tokenListCommand } from './token-list.ts';
import { tokenRevokeCommand } from './token-revoke.ts';

export function tokenCommand(): Command {
  return new Command('token')
    .description('Access tokens: customers see their own orders, operators see all. Only hashes are stored.')
    .addCommand(tokenCreateCommand())
    .addCommand(tokenListCommand())
    .addCommand(tokenRevokeCommand());
}
