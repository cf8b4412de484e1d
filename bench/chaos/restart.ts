import type pg from 'pg';
import type { OrderRecord } from '#domain/order.ts';
import type { Store } from '#engine/store.ts';
import { countOpen, newOrder, readRecords } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { COUNTED_WORKFLOW } from '../processes/counted-workflow.ts';
import type { BenchDatabase } from '../support/server.ts';
import { openBegunSteps } from './begun-steps.ts';
import { Fleet } from './fleet.ts';
import { judge, type Verdict } from './verdict.ts';

export interface RestartOptions {
  nodes: number;
  stepMs: number;
  ordersPerSecond: number;
  nodeArgs?: readonly string[];
}

export interface RestartResult {
  verdict: Verdict;
  stepsBegun: number;
  stepsRunTwice: number;
  delayedOrders: number;
  longestDelayS: number;
}

const DELAYED_S = 1;
const LOAD_PERIOD_MS = 100;

/** Restarts every node in good order, one after the other, while orders arrive. */
export async function runRollingRestart(
  { url, store, client }: BenchDatabase,
  { nodes, stepMs, ordersPerSecond, nodeArgs = [] }: RestartOptions,
): Promise<RestartResult> {
  const begunSteps = await openBegunSteps(stepMs);
  const fleet = new Fleet({ url, store, slots: 50, cwd: begunSteps.folder, nodeArgs });
  try {
    await store.registerWorkflows([COUNTED_WORKFLOW]);
    for (let index = 0; index < nodes; index += 1) fleet.start(stepMs);
    await fleet.untilLive(nodes);
    const load = startLoad(store, ordersPerSecond);
    await restartAll(fleet, client, stepMs).finally(() => load.stop());
    const orderIds = await load.stop();
    await waitUntil('every order to end', async () => (await countOpen(store, orderIds)) === 0, 120_000);
    const { begun, twice } = await begunSteps.count();
    const records = await readRecords(store, orderIds);
    const delays = records.flatMap(delaysOf);
    const verdict = await judge(store, client, orderIds);
    verdict.violations.push(...fleet.faults);
    // Were the steps not to write, none would seem to have run twice.
    const expected = orderIds.length * COUNTED_WORKFLOW.stepNames.length;
    if (begun !== expected) verdict.violations.push(`I9 ${begun} steps were begun, ${orderIds.length} orders have ${expected}`);
    const delayedOrders = records.filter((record) => delaysOf(record).some((delay) => delay > DELAYED_S)).length;
    return { verdict, stepsBegun: begun, stepsRunTwice: twice, delayedOrders, longestDelayS: Math.max(0, ...delays) };
  } finally {
    await fleet.close();
    await begunSteps.close();
  }
}

async function restartAll(fleet: Fleet, client: pg.Client, stepMs: number): Promise<void> {
  for (const node of [...fleet.nodes]) {
    await new Promise((resolve) => setTimeout(resolve, 4 * stepMs));
    // The node before it is back with all of its slots free, and is preferred: who has nothing in hand has nothing to hand back.
    await waitUntil(`${node.name} to be in the middle of an order`, () => isInTheMiddle(client, node.name, stepMs));
    await fleet.stop(node);
    fleet.start(stepMs, node.name);
    await waitUntil(`${node.name} to be back`, async () => (await fleet.live()).filter((name) => name === node.name).length === 1);
  }
}

/** Whether it has an order that came in less than two steps ago, so that there are steps to come. */
async function isInTheMiddle(client: pg.Client, nodeName: string, stepMs: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from order_work w join node_sessions s on s.session_id = w.owner_session
      where s.node_name = $1 and s.state <> 'dead' and w.next_run_at > clock_timestamp() - $2 * interval '1 millisecond' limit 1`,
    [nodeName, 2 * stepMs],
  );
  return rowCount === 1;
}

/** Orders that arrive evenly; `stop` resolves with the ids of all that were accepted. */
function startLoad(store: Store, ordersPerSecond: number): { stop(): Promise<string[]> } {
  const orderIds: string[] = [];
  const size = Math.ceil((ordersPerSecond * LOAD_PERIOD_MS) / 1_000);
  let loading = true;
  const load = async (): Promise<string[]> => {
    while (loading) {
      const orders = Array.from({ length: size }, () => newOrder({ workflow: COUNTED_WORKFLOW.name }));
      await store.acceptOrders(orders);
      await store.wakeNodes(size);
      orderIds.push(...orders.map(({ orderId }) => orderId));
      await new Promise((resolve) => setTimeout(resolve, LOAD_PERIOD_MS));
    }
    return orderIds;
  };
  const loaded = load();
  return {
    stop() {
      loading = false;
      return loaded;
    },
  };
}

/** How long the order waited for a slot each time: when it was new, and when a node had given it away. In seconds. */
function delaysOf({ events }: OrderRecord): number[] {
  return events.flatMap((event, index) => {
    const next = events[index + 1];
    const waits = event.kind === 'accepted' || event.kind === 'handed_back' || event.kind === 'handed_over';
    return waits && next ? [(next.at - event.at) / 1_000] : [];
  });
}
