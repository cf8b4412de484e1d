import { tmpdir } from 'node:os';
import type { Store } from '#engine/store.ts';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { waitUntil } from '#test/waiting.ts';

export interface FleetOptions {
  /** Of the warehouse's database. */
  url: string;
  store: Store;
  slots: number;
  /** For each node that starts. */
  stepMs: () => number;
  leaseArgs?: readonly string[];
}

export interface FleetNode {
  name: string;
  process: ConveyorProcess;
  paused: boolean;
}

/** Real node processes that come and go. A node that is replaced keeps its name. */
export class Fleet {
  readonly nodes: FleetNode[] = [];
  private readonly options: FleetOptions;
  private made = 0;

  constructor(options: FleetOptions) {
    this.options = options;
  }

  start(name = this.nextName()): FleetNode {
    const { url, slots, stepMs, leaseArgs = [] } = this.options;
    const args = ['node', '--node-name', name, '--slots', String(slots), '--step-duration', `${Math.round(stepMs())}ms`];
    const env = { CONVEYOR_WAREHOUSES: `HCM=${url}`, CONVEYOR_FAILURE_RATE: '0.05', CONVEYOR_LOG_LEVEL: 'warn' };
    const node: FleetNode = { name, process: startConveyor([...args, ...leaseArgs], { cwd: tmpdir(), env }), paused: false };
    this.nodes.push(node);
    return node;
  }

  /** Starts so many nodes and waits until each has a session. */
  async startAll(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) this.start();
    await waitUntil('all nodes to be at work', async () => (await this.live()).length >= count);
  }

  /** Names of nodes that have a live session. */
  async live(): Promise<string[]> {
    const { sessions } = await this.options.store.operations.readCluster();
    return sessions.filter(({ state }) => state !== 'dead').map(({ nodeName }) => nodeName);
  }

  find(name: string): FleetNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  async kill(node: FleetNode): Promise<void> {
    this.remove(node);
    node.process.kill('SIGKILL');
    await node.process.ended;
  }

  /** Leaves in good order. */
  async stop(node: FleetNode): Promise<number | null> {
    this.remove(node);
    node.process.kill('SIGTERM');
    return (await node.process.ended).exitCode;
  }

  pause(node: FleetNode): void {
    node.paused = true;
    node.process.kill('SIGSTOP');
  }

  resume(node: FleetNode): void {
    if (!node.paused) return;
    node.paused = false;
    node.process.kill('SIGCONT');
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.process.kill('SIGKILL');
    await Promise.all(this.nodes.map((node) => node.process.ended));
  }

  private nextName(): string {
    this.made += 1;
    return `chaos-${this.made}`;
  }

  private remove(node: FleetNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }
}
