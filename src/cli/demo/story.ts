import type { OrderRecord } from '#domain/order.ts';
import { isEnded } from '#domain/order-state.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { SessionReport } from '#engine/store.ts';
import { ApiClient } from '../client.ts';
import type { DemoCluster } from './cluster.ts';
import type { Screen } from './screen.ts';
import { readAll } from './verdict.ts';

export interface StoryOptions {
  cluster: DemoCluster;
  screen: Screen;
  clock: Clock;
  orders: number;
  leaseTtlMs: number;
  signal: AbortSignal;
}

const NODES = ['anna', 'bert', 'cleo'];
const SUBMIT_EVERY_MS = 70;
const LOOK_EVERY_MS = 250;
const POLL_MS = 20;
const LET_IT_FLOW_MS = 4_000;
const LONGER_THAN_THE_LEASE_MS = 2_000;

/** The whole story, act by act. Rejects when it is interrupted, or when something that must happen does not. */
export class Story {
  readonly orderIds: string[] = [];
  takeoverS: number | undefined;
  private readonly options: StoryOptions;
  private readonly client: ApiClient;
  private readonly paused = new Set<string>();
  private telling = true;

  constructor(options: StoryOptions) {
    this.options = options;
    this.client = new ApiClient({ endpoint: options.cluster.url, token: 'user' }, 2);
  }

  async tell(): Promise<void> {
    const looking = this.look();
    try {
      await this.startNodes();
      const submitting = this.submit();
      // It is awaited below; an interruption ends both at once, and the acts say so first.
      submitting.catch(() => undefined);
      await this.rest(LET_IT_FLOW_MS);
      await this.killBusiest();
      await this.rest(LET_IT_FLOW_MS / 2);
      await this.pauseBusiest();
      await submitting;
      await this.waitForAll();
    } finally {
      this.telling = false;
      await looking;
      await this.client.close();
    }
  }

  private async startNodes(): Promise<void> {
    const { cluster, screen } = this.options;
    screen.tell(`1  A gateway and a database run. Three nodes of 50 slots join: ${NODES.join(', ')}.`, 'bold');
    for (const name of NODES) cluster.startNode(name);
    await this.until('all nodes to be at work, with a leader', async () => {
      const { sessions, leader } = await cluster.store.operations.readCluster();
      return leader !== undefined && sessions.filter(({ state, hasLiveness }) => state === 'live' && hasLiveness).length === NODES.length;
    });
    const { leader } = await cluster.store.operations.readCluster();
    screen.tell(`   They are at work; ${leader?.nodeName} leads.`);
  }

  /** Over HTTP, as customers do, evenly over the first part of the story. */
  private async submit(): Promise<void> {
    const { orders, screen } = this.options;
    screen.tell(`2  ${orders} orders are submitted, four steps each; one step in twenty fails and rolls its order back.`, 'bold');
    while (this.orderIds.length < orders && !this.options.signal.aborted) {
      const answer = (await this.client.call({ method: 'POST', path: '/orders', body: { quantity: this.orderIds.length + 1 } })) as {
        order_id: string;
      };
      this.orderIds.push(answer.order_id);
      await this.rest(SUBMIT_EVERY_MS);
    }
  }

  private async killBusiest(): Promise<void> {
    const { cluster, screen, clock } = this.options;
    const victim = await this.busiest();
    const held = await this.ordersOf(victim.session);
    const leads = (await cluster.store.operations.readCluster()).leader?.session === victim.session;
    const killedAt = clock.now();
    cluster.nodes.get(victim.nodeName)?.kill('SIGKILL');
    screen.tell(`3  kill -9 ${victim.nodeName}${leads ? ', the leader' : ''}, in the middle of ${held.length} orders.`, 'bold');
    await this.until('its orders to run elsewhere', async () =>
      (await readAll(cluster.store, held)).every((record) => hasLeft(record, victim.session)),
    );
    const records = await readAll(cluster.store, held);
    const taken = records.flatMap(
      ({ events }) => events.find(({ kind, sessionId, at }) => kind === 'claimed' && sessionId !== victim.session && at >= killedAt) ?? [],
    );
    this.takeoverS = (Math.max(killedAt, ...taken.map(({ at }) => at)) - killedAt) / 1_000;
    screen.tell(`   All of them run on other nodes ${this.takeoverS.toFixed(2)} s later, at the step they were in.`, 'green');
    cluster.startNode(victim.nodeName);
    screen.tell(`   ${victim.nodeName} is started again, with a new session.`);
  }

  private async pauseBusiest(): Promise<void> {
    const { cluster, screen, leaseTtlMs } = this.options;
    const victim = await this.busiest();
    const process = cluster.nodes.get(victim.nodeName);
    this.paused.add(victim.nodeName);
    process?.kill('SIGSTOP');
    screen.tell(`4  ${victim.nodeName} is paused (SIGSTOP) with ${victim.busy} orders: it keeps its connections and says nothing.`, 'bold');
    await this.until('its lease to run out', async () => !(await this.isAlive(victim.session)), leaseTtlMs * 4);
    screen.tell('   Its lease ran out; the others have taken its orders over.');
    await this.rest(LONGER_THAN_THE_LEASE_MS);
    process?.kill('SIGCONT');
    this.paused.delete(victim.nodeName);
    await this.until('it to begin a new session', async () => (await this.sessionOf(victim.nodeName))?.state === 'live');
    // What it counted comes with its next tick.
    await this.rest(LONGER_THAN_THE_LEASE_MS);
    const refused = (await this.sessionOf(victim.nodeName))?.counts.fencedWrites ?? 0;
    screen.tell(`   It wakes and wants to write: ${refused} of its writes were refused, and it began a new session.`, 'green');
  }

  private async waitForAll(): Promise<void> {
    this.options.screen.tell('5  Every order goes on to its end.', 'bold');
    await this.until('every order to end', async () =>
      (await readAll(this.options.cluster.store, this.orderIds)).every(({ order }) => isEnded(order.state)),
    );
  }

  private async busiest(): Promise<SessionReport> {
    const { cluster } = this.options;
    const live = async (): Promise<SessionReport[]> =>
      (await cluster.store.operations.readCluster()).sessions.filter(({ state }) => state === 'live');
    await this.until('a node to be busy', async () => (await live()).some(({ busy }) => busy > 0));
    return (await live()).reduce((most, session) => (session.busy > most.busy ? session : most));
  }

  private async ordersOf(session: number): Promise<string[]> {
    const records = await readAll(this.options.cluster.store, this.orderIds);
    return records.filter(({ order }) => order.ownerSession === session).map(({ order }) => order.orderId);
  }

  private async isAlive(session: number): Promise<boolean> {
    const { sessions } = await this.options.cluster.store.operations.readCluster();
    return sessions.some((other) => other.session === session && other.state !== 'dead');
  }

  private async sessionOf(nodeName: string): Promise<SessionReport | undefined> {
    const { sessions } = await this.options.cluster.store.operations.readCluster();
    return sessions.find((session) => session.nodeName === nodeName && session.state !== 'dead');
  }

  /** Keeps the panel up to date, until the story is told. */
  private async look(): Promise<void> {
    const { cluster, screen, clock } = this.options;
    while (this.telling) {
      const [report, records] = await Promise.all([cluster.store.operations.readCluster(), readAll(cluster.store, this.orderIds)]);
      const count = (state: string): number => records.filter(({ order }) => order.state === state).length;
      screen.show(
        report,
        {
          submitted: this.orderIds.length,
          queued: count('queued'),
          running: count('running'),
          completed: count('completed'),
          failed: count('failed'),
        },
        this.paused,
      );
      await sleep(clock, process.stdout.isTTY ? LOOK_EVERY_MS : LOOK_EVERY_MS * 8);
    }
  }

  private rest(ms: number): Promise<void> {
    return sleep(this.options.clock, ms, this.options.signal);
  }

  private async until(what: string, condition: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
    const end = this.options.clock.monotonic() + timeoutMs;
    while (!(await condition())) {
      if (this.options.clock.monotonic() > end) throw new Error(`the demo waited ${timeoutMs / 1_000} s in vain for ${what}`);
      await this.rest(POLL_MS);
    }
  }
}

/** Whether the order was given away by the session and taken by another, or ended. */
function hasLeft({ order, events }: OrderRecord, session: number): boolean {
  if (isEnded(order.state)) return true;
  return order.ownerSession !== null && order.ownerSession !== session && events.some(({ kind }) => kind === 'claimed');
}
