import { newOrderId } from '#domain/ids.ts';
import type { Clock } from './clock.ts';
import type { Author, Store } from './store.ts';

/** What was done by hand and concerns several warehouses: the same entry in each, so that the audit shows it once. */
export function sharedIntervention(
  clock: Clock,
  { action, target, author }: { action: string; target: string; author: Author },
): (store: Pick<Store, 'operations'>) => Promise<void> {
  const entryId = newOrderId(0, clock.now(), clock.entropy());
  return (store) => store.operations.recordIntervention(action, target, author, entryId);
}
