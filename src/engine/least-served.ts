import type { Store } from './store.ts';

/** The warehouse with the fewest live slots, the first of several; `undefined` when none answers. */
export async function findLeastServed(stores: readonly Store[]): Promise<Store | undefined> {
  const looks = await Promise.allSettled(
    stores.map(async (store) => {
      const { sessions } = await store.operations.readCluster();
      return { store, slots: sessions.filter(({ state }) => state === 'live').reduce((sum, { slots }) => sum + slots, 0) };
    }),
  );
  const [fewest] = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : [])).sort((a, b) => a.slots - b.slots);
  return fewest?.store;
}
