import { acceptMany, countOpen } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { median } from '../support/figures.ts';
import type { BenchDatabase } from '../support/server.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { judge, type Verdict } from './verdict.ts';

export interface LeaderChaosOptions {
  kills: number;
  nodes: number;
  ordersPerKill: number;
  onKill?: (kill: number, seconds: number) => void;
}

const STEP_MS = 200;
const POLL_MS = 20;
/** No leader for so long is no measurement any more but a fault. */
const GIVE_UP_MS = 60_000;

/** Kills the leader again and again under load; how long the database knew of no other, each time. */
export async function runLeaderChaos(
  { url, store, client }: BenchDatabase,
  { kills, nodes, ordersPerKill, onKill }: LeaderChaosOptions,
): Promise<{ verdict: Verdict; seconds: number[]; medianS: number; maxS: number }> {
  const fleet = new Fleet({ url, store, slots: 20 });
  const orderIds: string[] = [];
  const seconds: number[] = [];
  try {
    for (let index = 0; index < nodes; index += 1) fleet.start(STEP_MS);
    await fleet.untilLive(nodes);
    for (let kill = 1; kill <= kills; kill += 1) {
      orderIds.push(...(await acceptMany(store, ordersPerKill)));
      const { node, session } = await findLeader({ store }, fleet);
      const killedAt = performance.now();
      await fleet.kill(node);
      await untilAnotherLeads({ store }, session);
      const took = (performance.now() - killedAt) / 1_000;
      seconds.push(took);
      onKill?.(kill, took);
      fleet.start(STEP_MS, node.name);
    }
    await waitUntil('every order to end', async () => (await countOpen(store, orderIds)) === 0, 120_000);
    const verdict = await judge(store, client, orderIds);
    verdict.violations.push(...fleet.faults);
    return { verdict, seconds, medianS: median(seconds), maxS: Math.max(...seconds) };
  } finally {
    await fleet.close();
  }
}

/** The leader and its process, once it is one that lives. */
async function findLeader({ store }: Pick<BenchDatabase, 'store'>, fleet: Fleet): Promise<{ node: FleetNode; session: number }> {
  let found: { node: FleetNode; session: number } | undefined;
  await waitUntil('a leader among the nodes', async () => {
    const { leader } = await store.operations.readCluster();
    const node = leader && fleet.find(leader.nodeName);
    found = node && { node, session: leader.session };
    return found !== undefined;
  });
  return found as { node: FleetNode; session: number };
}

async function untilAnotherLeads({ store }: Pick<BenchDatabase, 'store'>, session: number): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  for (;;) {
    const { leader } = await store.operations.readCluster();
    if (leader && leader.session !== session) return;
    if (performance.now() > end) throw new Error(`nobody leads ${GIVE_UP_MS} ms after the leader, session ${session}, was killed`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
