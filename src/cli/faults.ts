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

/** Paragraphs for standard error, each one fault, and the exit code of whatever a command has thrown; secrets and control characters are gone. */
export function describeFault(thrown: unknown): { faults: string[]; advice: string | undefined; exitCode: ExitCode } {
  if (thrown instanceof SettingsError) return { faults: thrown.problems.map(clean), advice: undefined, exitCode: EXIT.usage };
  const { exitCode = EXIT.failed, advice } = adviceOf(thrown);
  return { faults: [clean(messageOf(thrown))], advice: advice && clean(advice), exitCode };
}

function adviceOf(thrown: unknown): { exitCode?: ExitCode; advice: string | undefined } {
  if (thrown instanceof CommandFault) return thrown;
  return { advice: thrown instanceof ConveyorError ? ERROR_CATALOGUE[thrown.code].advice : undefined };
}

function clean(text: string): string {
  return text
    .split('\n')
    .map((line) => neutralise(maskSecrets(line)))
    .join('\n');
}
