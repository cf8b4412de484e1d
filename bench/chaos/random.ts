import { acceptMany, countOpen } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import type { BenchDatabase } from '../support/server.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { type ChaosPlan, planChaos, type Round } from './plan.ts';
import { localPortsOf } from './ports.ts';
import { judge, type Verdict } from './verdict.ts';

export interface RandomChaosOptions {
  rounds: number;
  orders: number;
  nodes: number;
  seed: number;
  /** From one action to the next. */
  paceMs: number;
  onRound?: (round: number, action: string) => void;
}

const SLOTS = 20;
const MAX_EXTRA_NODES = 3;
const ALL_END_MS = 180_000;

/** Rounds of whatever can happen to nodes, while orders arrive evenly over all of them; then waits until every order has ended. */
export async function runRandomChaos(
  database: BenchDatabase,
  options: RandomChaosOptions,
): Promise<{ verdict: Verdict; actions: Record<string, number> }> {
  const run = new RandomChaos(database, options);
  return await run.run();
}

class RandomChaos {
  private readonly database: BenchDatabase;
  private readonly options: RandomChaosOptions;
  private readonly plan: ChaosPlan;
  private readonly fleet: Fleet;
  /** What was really done, which may be less than what was planned. */
  private readonly actions: Record<string, number> = {};
  private readonly orderIds: string[] = [];
  private readonly pending = new Set<Promise<void>>();
  private readonly troubles: unknown[] = [];

  constructor(database: BenchDatabase, options: RandomChaosOptions) {
    this.database = database;
    this.options = options;
    this.plan = planChaos(options);
    this.fleet = new Fleet({ url: database.url, store: database.store, slots: SLOTS });
  }

  async run(): Promise<{ verdict: Verdict; actions: Record<string, number> }> {
    const { onRound, paceMs } = this.options;
    try {
      for (const stepMs of this.plan.firstStepsMs) this.fleet.start(stepMs);
      await this.fleet.untilLive(this.plan.firstStepsMs.length);
      for (const [index, round] of this.plan.rounds.entries()) {
        await this.acceptUpTo(index + 1);
        onRound?.(index + 1, round.action);
        await pause(round.intoMs);
        const done = await this.act(round);
        this.actions[done] = (this.actions[done] ?? 0) + 1;
        await pause(paceMs - round.intoMs);
      }
      await this.calmDown();
      const verdict = await judge(this.database.store, this.database.client, this.orderIds);
      verdict.violations.push(...this.fleet.faults);
      return { verdict, actions: this.actions };
    } finally {
      await this.fleet.close();
    }
  }

  private async acceptUpTo(round: number): Promise<void> {
    const due = Math.round((round / this.options.rounds) * this.options.orders) - this.orderIds.length;
    if (due > 0) this.orderIds.push(...(await acceptMany(this.database.store, due)));
  }

  /** Does what the round has in store; the name of what it came to. */
  private async act(round: Round): Promise<string> {
    const node = await this.unluckyNode(round.victim);
    switch (round.action) {
      case 'kill':
        return this.replaceKilled(node, round);
      case 'kill leader':
        return this.replaceLeader(node, round);
      case 'pause':
        this.fleet.pause(node);
        this.after(round.lengthMs, async () => this.fleet.resume(node));
        return 'pause';
      case 'drain':
        return this.drainForAWhile(node, round);
      case 'stop':
        this.later(this.fleet.stop(node).then(() => void this.fleet.start(round.stepMs, node.name)));
        return 'stop';
      case 'join':
        if (this.fleet.nodes.length < this.options.nodes + MAX_EXTRA_NODES) {
          this.fleet.start(round.stepMs);
          return 'join';
        }
        this.later(this.fleet.stop(node));
        return 'leave';
      default:
        return (await this.cutConnections(node)) > 0 ? 'cut' : 'cut of nothing';
    }
  }

  private async replaceKilled(node: FleetNode, { stepMs }: Round): Promise<string> {
    await this.fleet.kill(node);
    this.fleet.start(stepMs, node.name);
    return 'kill';
  }

  /** Where nobody leads at this moment, another node dies. */
  private async replaceLeader(other: FleetNode, round: Round): Promise<string> {
    const { leader } = await this.database.store.operations.readCluster();
    const node = leader && this.fleet.find(leader.nodeName);
    await this.replaceKilled(node ?? other, round);
    return node ? 'kill leader' : 'kill';
  }

  private async drainForAWhile(node: FleetNode, { lengthMs }: Round): Promise<string> {
    const { operations } = this.database.store;
    const { sessions } = await operations.readCluster();
    const nodeId = sessions.find(({ nodeName, state }) => nodeName === node.name && state !== 'dead')?.nodeId;
    if (nodeId === undefined) return 'drain of nobody';
    const author = { actor: 'chaos', reason: undefined };
    await operations.steerNode(nodeId, 'drain', author);
    this.after(lengthMs, async () => void (await operations.steerNode(nodeId, undefined, author)));
    return 'drain';
  }

  /** All connections that the node's process has at this moment; how many there were. */
  private async cutConnections(node: FleetNode): Promise<number> {
    const { rowCount } = await this.database.client.query(
      `select pg_terminate_backend(a.pid) from pg_stat_activity a
        where a.datname = current_database() and a.application_name like 'conveyor %' and a.client_port = any ($1::int[])`,
      [await localPortsOf(node.process.pid)],
    );
    return rowCount ?? 0;
  }

  /** The node of a random order that runs, so that there is something to lose; any node where none runs. */
  private async unluckyNode(victim: number): Promise<FleetNode> {
    const { rows } = await this.database.client.query<{ name: string }>(
      `select s.node_name as name from orders o join node_sessions s on s.session_id = o.owner_session where o.state = 'running' order by o.order_id`,
    );
    await waitUntil('a node that is not about to leave', () => this.fleet.nodes.length > 0);
    const { nodes } = this.fleet;
    return this.fleet.find(at(rows, victim)?.name ?? '') ?? (at(nodes, victim) as FleetNode);
  }

  private after(ms: number, work: () => Promise<void>): void {
    this.later(pause(ms).then(work));
  }

  /** Goes on by itself; what goes wrong with it is told at the end. */
  private later(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => void this.troubles.push(error)).finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }

  /** Everybody wakes and goes on; then every order has to end. */
  private async calmDown(): Promise<void> {
    await Promise.all(this.pending);
    if (this.troubles.length > 0) throw new AggregateError(this.troubles, 'the chaos run could not do what its rounds asked for');
    for (const node of this.fleet.nodes) this.fleet.resume(node);
    const names = this.fleet.nodes.map(({ name }) => name);
    await waitUntil('every node to have a live session', async () => {
      const [fault] = this.fleet.faults;
      if (fault) throw new Error(fault);
      const live = new Set(await this.fleet.live());
      return names.every((name) => live.has(name));
    });
    await waitUntil('every order to end', async () => (await countOpen(this.database.store, this.orderIds)) === 0, ALL_END_MS);
  }
}

function at<Item>(items: readonly Item[], place: number): Item | undefined {
  return items[Math.floor(place * items.length)];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
