import type { Store } from '#engine/store.ts';

const TELL_EVERY_MS = 1_000;

/** The store, which tells every second how many milliseconds each claim took that found something. */
export function timeClaims(store: Store, tell: (tookMs: readonly number[]) => void): Store {
  let times: number[] = [];
  setInterval(() => {
    if (times.length > 0) tell(times);
    times = [];
  }, TELL_EVERY_MS).unref();
  const claimOrders: Store['claimOrders'] = async (session, limit) => {
    const began = performance.now();
    const claimed = await store.claimOrders(session, limit);
    if (claimed.length > 0) times.push(performance.now() - began);
    return claimed;
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === 'claimOrders') return claimOrders;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
