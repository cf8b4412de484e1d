import { systemClock } from '#engine/clock.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { describeStore } from './store-conformance.ts';

describeStore('memory', async () => {
  const store = createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock: systemClock });
  return { store, second: store, close: () => store.close() };
});
