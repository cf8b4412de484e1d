import type { OrderRecord } from '#domain/order.ts';
import { acceptMany, countOpen, readRecords } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import type { BenchDatabase } from '../support/server.ts';
import { Fleet } from './fleet.ts';
import { judge, type Verdict } from './verdict.ts';

export interface RestartOptions {
  nodes: number;
  stepMs: number;
  ordersPerSecond: number;
}

const DELAYED_S = 1;

/** Restarts every node in good order, one after the other, while orders arrive. */
export async function runRollingRestart(
  { url, store, client }: BenchDatabase,
  { nodes, stepMs, ordersPerSecond }: RestartOptions,
): Promise<{ verdict: Verdict; stepsRunTwice: number; delayedOrders: number; longestDelayS: number; exitCodes: (number | null)[] }> {
  const fleet = new Fleet({ url, store, slots: 50, stepMs: () => stepMs });
  const orderIds: string[] = [];
  const exitCodes: (number | null)[] = [];
  let loading = true;
  const load = async (): Promise<void> => {
    while (loading) {
      orderIds.push(...(await acceptMany(store, Math.ceil(ordersPerSecond / 10))));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  try {
    await fleet.startAll(nodes);
    const loaded = load();
    for (const node of [...fleet.nodes]) {
      await new Promise((resolve) => setTimeout(resolve, 4 * stepMs));
      exitCodes.push(await fleet.stop(node));
      fleet.start(node.name);
      await waitUntil(`${node.name} to be back`, async () => (await fleet.live()).filter((name) => name === node.name).length === 1);
    }
    loading = false;
    await loaded;
    await waitUntil('every order to end', async () => (await countOpen(store, orderIds)) === 0, 120_000);
    const records = await readRecords(store, orderIds);
    const delays = records.flatMap(delaysOf);
    return {
      verdict: await judge(store, client, orderIds),
      stepsRunTwice: records.reduce((sum, record) => sum + countRunTwice(record), 0),
      delayedOrders: delays.filter((delay) => delay > DELAYED_S).length,
      longestDelayS: Math.max(0, ...delays),
      exitCodes,
    };
  } finally {
    loading = false;
    await fleet.close();
  }
}

/** Steps that a node had begun and that another began again, though nothing had gone wrong with them. */
export function countRunTwice({ events }: OrderRecord): number {
  let twice = 0;
  for (const [index, event] of events.entries()) {
    if (event.kind !== 'handed_back' && event.kind !== 'handed_over') continue;
    const before = events[index - 1];
    // The step at which it was handed back had begun there, unless the one before had only just ended.
    const hadBegun = before?.kind === 'claimed' || before === undefined;
    if (event.kind === 'handed_over' || hadBegun) twice += 1;
  }
  return twice;
}

/** How long the order waited each time that a node gave it away, in seconds. */
function delaysOf({ events }: OrderRecord): number[] {
  return events.flatMap((event, index) => {
    if (event.kind !== 'handed_back' && event.kind !== 'handed_over') return [];
    const next = events[index + 1];
    return next ? [(next.at - event.at) / 1_000] : [];
  });
}
