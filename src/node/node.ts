import { hostname } from 'node:os';
import { messageOf } from '#domain/errors.ts';
import { type Clock, jittered, sleep, systemClock } from '#engine/clock.ts';
import type { Isolation } from '#engine/handler.ts';
import { DEFAULT_LEASE, findLeaseFault, type LeaseSettings } from '#engine/lease.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Liveness, Store } from '#engine/store.ts';
import { NodeLife } from './life.ts';
import { type NodeCounts, NodeStats } from './stats.ts';

export interface NodeOptions {
  store: Store;
  registry: WorkflowRegistry;
  slots: number;
  /** Stable over the node's lives. */
  nodeId: string;
  nodeName: string;
  version: string;
  log: Log;
  clock?: Clock;
  lease?: LeaseSettings;
  /** How long running steps may take when an operator stops the node from afar; default 30 s. */
  stopGraceMs?: number;
  /** How long orders may wait, after an outage, for their keys to be compared with other warehouses; default 30 s. */
  gateLimitMs?: number;
  /** How long orders are kept after their end; absent: for ever. */
  retentionMs?: number | undefined;
  /** Of the operations port, for operators. */
  address?: string;
  /** Where suspects run; absent: in this process, like all others. */
  isolation?: Isolation;
}

/** A node at work. */
export interface RunningNode {
  readonly nodeId: string;
  readonly nodeName: string;
  /** Of its present life. */
  readonly session: number;
  readonly busy: number;
  readonly slots: number;
  readonly isLeader: boolean;
  readonly isDraining: boolean;
  /** Whether others would notice its end at once. */
  readonly liveness: Liveness;
  /** Orders whose handlers are done and whose last move is on its way. */
  readonly queueSize: number;
  /** Whether its loop turns. */
  readonly isTurning: boolean;
  readonly stats: Readonly<NodeCounts>;
  /** Resolves when the node has stopped for good. */
  readonly ended: Promise<void>;
  /** Leaves in good order: present steps end, orders go back to the queue; past `graceMs` their handlers are aborted first. */
  stop(options: { graceMs: number }): Promise<void>;
}

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 3_000;
const DEFAULT_STOP_GRACE_MS = 30_000;
const DEFAULT_GATE_LIMIT_MS = 30_000;
/** A node that was declared dead lets the others take what it had before it asks for work again. */
const REBIRTH_PAUSE_MS = 300;

/**
 * Starts a node: registers its workflows, begins a session and works until stopped. When its session is declared dead it
 * begins a new life by itself. Rejects when the first session cannot be opened.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const lease = options.lease ?? DEFAULT_LEASE;
  const fault = findLeaseFault(lease);
  if (fault) throw new Error(fault);
  const node = new Node(options, lease);
  await options.store.registerWorkflows(
    options.registry.all().map(({ name, version, steps }) => ({ name, version, stepNames: steps.map((step) => step.name) })),
  );
  await node.begin();
  return node;
}

class Node implements RunningNode {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly stats = new NodeStats();
  readonly ended: Promise<void>;
  private readonly options: NodeOptions;
  private readonly lease: LeaseSettings;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly end = Promise.withResolvers<void>();
  private life: NodeLife | undefined;
  private draining = false;
  private between = false;

  constructor(options: NodeOptions, lease: LeaseSettings) {
    this.options = options;
    this.lease = lease;
    this.clock = options.clock ?? systemClock;
    this.nodeId = options.nodeId;
    this.nodeName = options.nodeName;
    this.ended = this.end.promise;
  }

  get session(): number {
    return this.life?.session ?? 0;
  }

  get busy(): number {
    return this.life?.busy ?? 0;
  }

  get slots(): number {
    return this.options.slots;
  }

  get isLeader(): boolean {
    return this.life?.isLeader ?? false;
  }

  get liveness(): Liveness {
    return this.life?.livenessState ?? 'unavailable';
  }

  get queueSize(): number {
    return this.life?.queueSize ?? 0;
  }

  /** Between two lives it waits for the database, which is a turn too. */
  get isTurning(): boolean {
    return this.between || (this.life?.isTurning ?? false);
  }

  get isDraining(): boolean {
    return this.draining || this.stopping.signal.aborted;
  }

  async begin(): Promise<void> {
    this.life = await this.openLife();
    void this.liveOn(this.life);
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.stopping.abort();
    await this.life?.leave(graceMs);
    await this.ended;
  }

  /** One life after the other, until the node is stopped. */
  private async liveOn(first: NodeLife): Promise<void> {
    let life: NodeLife | undefined = first;
    while (life) {
      const how = await life.ended;
      this.between = true;
      if (how === 'dead') await sleep(this.clock, REBIRTH_PAUSE_MS, this.stopping.signal).catch(() => undefined);
      life = await this.nextLife();
      this.life = life ?? this.life;
      this.between = false;
    }
    this.end.resolve();
  }

  private async nextLife(): Promise<NodeLife | undefined> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!this.stopping.signal.aborted) {
      try {
        const life = await this.openLife();
        if (!this.stopping.signal.aborted) return life;
        await life.leave(0);
      } catch (error) {
        this.options.log.warn({ node: this.nodeName, error: messageOf(error) }, 'cannot begin a new session yet');
        await sleep(this.clock, jittered(this.clock, backoffMs), this.stopping.signal).catch(() => undefined);
        backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
      }
    }
    return undefined;
  }

  private async openLife(): Promise<NodeLife> {
    const { store, registry, slots, version, log } = this.options;
    const openedAt = this.clock.monotonic();
    const session = await store.openSession(
      {
        nodeId: this.nodeId,
        nodeName: this.nodeName,
        slots,
        version,
        host: hostname(),
        pid: process.pid,
        address: this.options.address,
        workflows: registry.all().map((workflow) => ({ name: workflow.name, version: workflow.version })),
      },
      this.lease.ttlMs,
      this.draining ? 'drain' : undefined,
    );
    const life = new NodeLife({
      store,
      session,
      openedAt,
      registry,
      slotCount: slots,
      lease: this.lease,
      clock: this.clock,
      log: log.child({ node: this.nodeName }),
      stats: this.stats,
      gateLimitMs: this.options.gateLimitMs ?? DEFAULT_GATE_LIMIT_MS,
      retentionMs: this.options.retentionMs,
      draining: this.draining,
      isolation: this.options.isolation,
      onDrain: (draining) => {
        this.draining = draining;
      },
      onStop: () => {
        log.info({ node: this.nodeName, session }, 'asked to stop: present steps may end, then their orders are handed back');
        void this.stop({ graceMs: this.options.stopGraceMs ?? DEFAULT_STOP_GRACE_MS });
      },
    });
    await life.begin();
    log.info({ node: this.nodeName, session, slots, warehouse: store.warehouse.name }, 'node at work');
    return life;
  }
}
