import { tmpdir } from 'node:os';
import type { Store } from '#engine/store.ts';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { waitUntil } from '#test/waiting.ts';
import { EXIT } from '../../src/cli/faults.ts';

export interface FleetOptions {
  /** Of the warehouse's database. */
  url: string;
  store: Store;
  slots: number;
  /** Where the nodes run, and so whose `conveyor.config.ts` they read; default: a folder without one. */
  cwd?: string;
  nodeArgs?: readonly string[];
}

export interface FleetNode {
  name: string;
  process: ConveyorProcess;
  paused: boolean;
}

/** Of what a node said last, when it ended by itself. */
const LAST_WORDS = 2_000;

/** Real node processes that come and go. A node that is replaced keeps its name. */
export class Fleet {
  readonly nodes: FleetNode[] = [];
  /** Ends that nobody asked for, and those that were asked for and did not go well: none in a good run. */
  readonly faults: string[] = [];
  private readonly options: FleetOptions;
  private made = 0;

  constructor(options: FleetOptions) {
    this.options = options;
    process.on('exit', this.killAll);
  }

  /** A node whose steps take this long; without a name it gets a new one. */
  start(stepMs: number, name = this.nextName()): FleetNode {
    const { url, slots, cwd = tmpdir(), nodeArgs = [] } = this.options;
    const args = ['node', '--node-name', name, '--slots', String(slots), '--step-duration', `${stepMs}ms`];
    // At this level a node tells when it is at work; `stop` asks for it.
    const env = { CONVEYOR_WAREHOUSES: `HCM=${url}`, CONVEYOR_FAILURE_RATE: '0.05', CONVEYOR_LOG_LEVEL: 'info' };
    const node: FleetNode = { name, process: startConveyor([...args, ...nodeArgs], { cwd, env }), paused: false };
    this.nodes.push(node);
    void node.process.ended.then(({ exitCode, stderr }) => {
      if (this.nodes.includes(node)) this.faults.push(`node ${name} ended by itself with ${exitCode}: ${stderr.slice(-LAST_WORDS)}`);
    });
    return node;
  }

  /** Waits until so many nodes have a session. */
  async untilLive(count: number): Promise<void> {
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

  /** Leaves in good order. Who is paused, or not at work yet, would not hear of it: the one wakes first, the other is waited for. */
  async stop(node: FleetNode): Promise<void> {
    this.resume(node);
    this.remove(node);
    await node.process.waitFor(/"msg":"node started"/);
    node.process.kill('SIGTERM');
    const { exitCode, stderr } = await node.process.ended;
    if (exitCode !== EXIT.done)
      this.faults.push(`node ${node.name} was told to leave and ended with ${exitCode}: ${stderr.slice(-LAST_WORDS)}`);
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
    const nodes = this.killAll();
    await Promise.all(nodes.map((node) => node.process.ended));
    process.off('exit', this.killAll);
  }

  /** A run that is broken off leaves no node behind, least of all a paused one. */
  private readonly killAll = (): FleetNode[] => {
    const nodes = this.nodes.splice(0);
    for (const node of nodes) node.process.kill('SIGKILL');
    return nodes;
  };

  private nextName(): string {
    this.made += 1;
    return `chaos-${this.made}`;
  }

  private remove(node: FleetNode): void {
    const index = this.nodes.indexOf(node);
    if (index >= 0) this.nodes.splice(index, 1);
  }
}
