import { acceptMany, countOpen } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { median } from '../support/figures.ts';
import type { BenchDatabase } from '../support/server.ts';
import { Fleet } from './fleet.ts';
import { judge, type Verdict } from './verdict.ts';

export interface LeaderChaosOptions {
  kills: number;
  nodes: number;
  ordersPerKill: number;
  onKill?: (kill: number, seconds: number) => void;
}

const POLL_MS = 20;

/** Kills the leader again and again under load; how long there was none, each time. */
export async function runLeaderChaos(
  { url, store, client }: BenchDatabase,
  { kills, nodes, ordersPerKill, onKill }: LeaderChaosOptions,
): Promise<{ verdict: Verdict; medianS: number; maxS: number }> {
  const fleet = new Fleet({ url, store, slots: 20, stepMs: () => 200 });
  const orderIds: string[] = [];
  const seconds: number[] = [];
  try {
    await fleet.startAll(nodes);
    const leader = async (): Promise<{ session: number; nodeName: string } | undefined> => (await store.operations.readCluster()).leader;
    for (let kill = 1; kill <= kills; kill += 1) {
      orderIds.push(...(await acceptMany(store, ordersPerKill)));
      await waitUntil('a leader among the nodes', async () => fleet.find((await leader())?.nodeName ?? '') !== undefined);
      const old = await leader();
      const victim = fleet.find(old?.nodeName ?? '');
      if (!victim) continue;
      const killedAt = performance.now();
      await fleet.kill(victim);
      let found = await leader();
      while (!found || found.session === old?.session) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        found = await leader();
      }
      seconds.push((performance.now() - killedAt) / 1_000);
      onKill?.(kill, seconds.at(-1) ?? 0);
      fleet.start(victim.name);
    }
    await waitUntil('every order to end', async () => (await countOpen(store, orderIds)) === 0, 120_000);
    return { verdict: await judge(store, client, orderIds), medianS: median(seconds), maxS: Math.max(...seconds) };
  } finally {
    await fleet.close();
  }
}
