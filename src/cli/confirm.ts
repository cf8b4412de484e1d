import { createInterface } from 'node:readline/promises';
import { CommandFault, EXIT } from './faults.ts';
import { neutralise } from './print.ts';

/** Asks before something that cannot be undone. Scripts are not asked: whoever writes one has decided. */
export async function confirm(question: string, isAgreed: boolean | undefined): Promise<void> {
  if (isAgreed || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await dialog.question(`${neutralise(question)} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    dialog.close();
  }
  throw new CommandFault(EXIT.cancelled, 'nothing was done');
}
