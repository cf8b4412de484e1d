/** Stops on a mistake of ours (never on bad input): the message says what had to hold. */
export function assert(condition: unknown, expected: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${expected}`);
}

/** The end of an exhaustive `switch`: the compiler refuses the call when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
