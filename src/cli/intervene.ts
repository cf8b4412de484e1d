import type { ApiClient } from './client.ts';
import { confirm } from './confirm.ts';
import type { OutputOptions } from './options.ts';

/** Of a command that changes something by hand: `--reason` and `--yes`. */
export interface InterventionOptions extends OutputOptions {
  reason?: string;
  yes?: boolean;
}

/** Asks first, then does it; answers what the gateway shows of it. */
export async function intervene<Shown>(
  client: ApiClient,
  { question, path }: { question: string; path: string },
  { reason, yes }: InterventionOptions,
): Promise<Shown> {
  await confirm(question, yes);
  const body = reason === undefined ? {} : { reason };
  return (await client.call({ method: 'POST', path, body })) as Shown;
}
