import type { AcceptVerdict } from './store.ts';

/** How many of these orders are new. */
export function countCreated(verdicts: readonly AcceptVerdict[]): number {
  return verdicts.filter(({ outcome }) => outcome === 'created').length;
}
