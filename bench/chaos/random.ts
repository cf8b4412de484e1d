import { acceptMany, countOpen } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import type { BenchDatabase } from '../support/server.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { Chance } from './seed.ts';
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
const MIN_STEP_MS = 50;
const MAX_STEP_MS = 500;
const MIN_PAUSE_MS = 200;
/** Twice a lease: some pauses are slept through, others cost the session. */
const MAX_PAUSE_MS = 6_000;
const ALL_END_MS = 180_000;

/** What may happen in a round, and how often of a hundred. */
const ACTIONS = [
  ['kill', 42],
  ['pause', 26],
  ['drain', 7],
  ['stop', 8],
  ['join', 6],
  ['cut', 8],
  ['kill leader', 3],
] as const;
type Action = (typeof ACTIONS)[number][0];

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
  private readonly chance: Chance;
  private readonly fleet: Fleet;
  private readonly actions: Record<string, number> = {};
  private readonly orderIds: string[] = [];
  private readonly pending = new Set<Promise<void>>();

  constructor(database: BenchDatabase, options: RandomChaosOptions) {
    this.database = database;
    this.options = options;
    this.chance = new Chance(options.seed);
    const stepMs = (): number => this.chance.between(MIN_STEP_MS, MAX_STEP_MS);
    this.fleet = new Fleet({ url: database.url, store: database.store, slots: SLOTS, stepMs });
  }

  async run(): Promise<{ verdict: Verdict; actions: Record<string, number> }> {
    const { rounds, nodes, onRound, paceMs } = this.options;
    try {
      await this.fleet.startAll(nodes);
      for (let round = 1; round <= rounds; round += 1) {
        await this.acceptUpTo(round);
        const action = this.chooseAction();
        this.actions[action] = (this.actions[action] ?? 0) + 1;
        onRound?.(round, action);
        // In the middle of what has just arrived.
        const into = this.chance.between(paceMs / 10, paceMs / 2);
        await pause(into);
        await this.act(action);
        await pause(paceMs - into);
      }
      await this.calmDown();
      return { verdict: await judge(this.database.store, this.database.client, this.orderIds), actions: this.actions };
    } finally {
      await this.fleet.close();
    }
  }

  private async acceptUpTo(round: number): Promise<void> {
    const due = Math.round((round / this.options.rounds) * this.options.orders) - this.orderIds.length;
    if (due > 0) this.orderIds.push(...(await acceptMany(this.database.store, due)));
  }

  private chooseAction(): Action {
    let left = this.chance.next() * 100;
    for (const [action, share] of ACTIONS) {
      left -= share;
      if (left < 0) return action;
    }
    return 'kill';
  }

  private async act(action: Action): Promise<void> {
    const node = await this.unluckyNode();
    switch (action) {
      case 'kill':
        return this.replaceKilled(node);
      case 'kill leader': {
        const { leader } = await this.database.store.operations.readCluster();
        return this.replaceKilled((leader && this.fleet.find(leader.nodeName)) ?? node);
      }
      case 'pause':
        return this.pauseForAWhile(node);
      case 'drain':
        return this.drainForAWhile(node);
      case 'stop':
        // A node that is paused does not hear it until it wakes.
        this.fleet.resume(node);
        this.later(this.fleet.stop(node).then(() => void this.fleet.start(node.name)));
        return;
      case 'join':
        if (this.fleet.nodes.length < this.options.nodes + MAX_EXTRA_NODES) this.fleet.start();
        else await this.fleet.kill(node);
        return;
      default:
        return this.cutConnections(node);
    }
  }

  private async replaceKilled(node: FleetNode): Promise<void> {
    await this.fleet.kill(node);
    this.fleet.start(node.name);
  }

  private pauseForAWhile(node: FleetNode): void {
    this.fleet.pause(node);
    this.later(pause(this.chance.between(MIN_PAUSE_MS, MAX_PAUSE_MS)).then(() => this.fleet.resume(node)));
  }

  private async drainForAWhile(node: FleetNode): Promise<void> {
    const { operations } = this.database.store;
    const { sessions } = await operations.readCluster();
    const nodeId = sessions.find(({ nodeName }) => nodeName === node.name)?.nodeId;
    if (nodeId === undefined) return;
    const author = { actor: 'chaos', reason: undefined };
    await operations.steerNode(nodeId, 'drain', author);
    this.later(
      pause(this.chance.between(MIN_PAUSE_MS, MAX_PAUSE_MS)).then(async () => void (await operations.steerNode(nodeId, undefined, author))),
    );
  }

  /** All connections that the node's process has at this moment. */
  private async cutConnections(node: FleetNode): Promise<void> {
    await this.database.client.query(
      `select pg_terminate_backend(a.pid) from pg_stat_activity a
        where a.datname = current_database() and a.application_name like 'conveyor %' and a.client_port = any ($1::int[])`,
      [await portsOf(node.process.pid)],
    );
  }

  /** The node of a random order that runs, so that there is something to lose; any node where none runs. */
  private async unluckyNode(): Promise<FleetNode> {
    const { rows } = await this.database.client.query<{ name: string }>(
      `select s.node_name as name from orders o join node_sessions s on s.session_id = o.owner_session where o.state = 'running' order by o.order_id`,
    );
    const name = rows.length > 0 ? this.chance.pick(rows).name : '';
    return this.fleet.find(name) ?? this.chance.pick(this.fleet.nodes);
  }

  private later(work: Promise<void>): void {
    const tracked = work.finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }

  /** Everybody wakes and goes on; then every order has to end. */
  private async calmDown(): Promise<void> {
    await Promise.all(this.pending);
    for (const node of this.fleet.nodes) this.fleet.resume(node);
    const names = this.fleet.nodes.map(({ name }) => name);
    await waitUntil('every node to have a live session', async () => {
      const live = new Set(await this.fleet.live());
      return names.every((name) => live.has(name));
    });
    await waitUntil('every order to end', async () => (await countOpen(this.database.store, this.orderIds)) === 0, ALL_END_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Local ports of a process's TCP connections, as its server sees them. */
async function portsOf(pid: number): Promise<number[]> {
  const { readdir, readFile, readlink } = await import('node:fs/promises');
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const lines = (await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => '')).split('\n').slice(1);
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return sockets.has(fields[9] ?? '') ? [Number.parseInt(fields[1]?.split(':')[1] ?? '0', 16)] : [];
  });
}
