import { SettingsError } from '#config/load.ts';
import { ConveyorError, ERROR_CATALOGUE, messageOf } from '#domain/errors.ts';
import { maskSecrets } from '#telemetry/redact.ts';
import { neutralise } from './print.ts';

/** What a command's end tells a script. */
export const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 3, notAllowed: 4, orderFailed: 5, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that cannot go on: what happened, what to do about it, and the exit code. */
export class CommandFault extends Error {
  readonly exitCode: ExitCode;
  readonly advice: string | undefined;

  constructor(exitCode: ExitCode, message: string, advice?: string) {
    super(message);
    this.name = 'CommandFault';
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/** Lines for standard error and the exit code of whatever a command has thrown; secrets and control characters are gone. */
export function describeFault(thrown: unknown): { lines: string[]; exitCode: ExitCode } {
  if (thrown instanceof SettingsError) return { lines: thrown.problems.map(clean), exitCode: EXIT.usage };
  if (thrown instanceof CommandFault) return { lines: linesOf(thrown.message, thrown.advice), exitCode: thrown.exitCode };
  if (thrown instanceof ConveyorError)
    return { lines: linesOf(thrown.message, ERROR_CATALOGUE[thrown.code].advice), exitCode: EXIT.failed };
  return { lines: [clean(messageOf(thrown))], exitCode: EXIT.failed };
}

function linesOf(message: string, advice: string | undefined): string[] {
  return advice === undefined ? [clean(message)] : [clean(message), clean(advice)];
}

function clean(text: string): string {
  return text
    .split('\n')
    .map((line) => neutralise(maskSecrets(line)))
    .join('\n');
}
