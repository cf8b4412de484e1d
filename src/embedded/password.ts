import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere, writePrivate } from './private-file.ts';

const FILE_NAME = 'password';

/** The password of the role `conveyor`, as kept beside the data; `undefined` when it is not there. */
export async function readPassword(folder: string): Promise<string | undefined> {
  return (await readIfThere(join(folder, FILE_NAME)))?.trim() || undefined;
}

export function makePassword(): string {
  return randomBytes(24).toString('base64url');
}

/** In a file that only its owner reads. */
export async function keepPassword(folder: string, password: string): Promise<void> {
  await writePrivate(join(folder, FILE_NAME), `${password}\n`);
}

/** The only form in which the address leaves this folder. The password is URL-safe as it is. */
export function databaseUrl(password: string, port: number): string {
  return `postgres://conveyor:${password}@127.0.0.1:${port}/conveyor`;
}
