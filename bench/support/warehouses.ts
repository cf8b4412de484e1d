import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedServer, startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { freePort, isUp, waitUntil } from '#test/waiting.ts';

export interface WarehousesOptions {
  names: readonly string[];
  nodesEach: number;
  slots: number;
  stepMs: number;
  failureRate?: number;
  /** Of the gateway. */
  gatewayEnv?: Record<string, string>;
}

/** Warehouses as they run in production: a PostgreSQL server each, nodes in processes of their own, one gateway. */
export class RealWarehouses {
  readonly url: string;
  private readonly folder: string;
  private readonly options: WarehousesOptions;
  private readonly servers = new Map<string, EmbeddedServer>();
  private readonly processes: ConveyorProcess[] = [];
  /** Ends that nobody asked for. */
  readonly faults: string[] = [];
  private gateway: ConveyorProcess | undefined;
  private readonly expected = new Set<ConveyorProcess>();
  private closing = false;

  private constructor(folder: string, url: string, options: WarehousesOptions) {
    this.folder = folder;
    this.url = url;
    this.options = options;
    process.on('exit', this.killAll);
  }

  static async open(options: WarehousesOptions): Promise<RealWarehouses> {
    const folder = await mkdtemp(join(tmpdir(), 'conveyor-warehouses-'));
    await chmod(folder, 0o755);
    const opened = new RealWarehouses(folder, `http://127.0.0.1:${await freePort()}`, options);
    try {
      await Promise.all(options.names.map((name) => opened.startServer(name)));
      await opened.startGateway();
      for (const name of options.names) for (let node = 1; node <= options.nodesEach; node += 1) opened.startNode(name, node);
      await waitUntil('all warehouses to be healthy', async () => (await opened.health()).every(({ status }) => status === 'OK'));
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** As a dead machine: the whole server at once. It stays away until it is started again. */
  async killServer(name: string): Promise<void> {
    const server = this.servers.get(name) as EmbeddedServer;
    process.kill(server.pid, 'SIGKILL');
    await server.stop('immediate');
  }

  /** On the same data, at the same address. */
  async startServer(name: string): Promise<void> {
    const server = await startEmbedded({ warehouse: name, dataDir: this.folder, log: silentLog, clock: systemClock });
    const before = this.servers.get(name);
    if (before && before.url !== server.url) throw new Error(`the server of ${name} came back at another address`);
    this.servers.set(name, server);
  }

  async startGateway(): Promise<void> {
    this.gateway = this.run(['gateway', '--port', new URL(this.url).port, '--node-name', 'front'], this.options.gatewayEnv);
    await waitUntil('the gateway to answer', () => isUp(this.url));
  }

  /** Hard; it stays away until it is started again. */
  async killGateway(): Promise<void> {
    const { gateway } = this;
    if (!gateway) return;
    this.expected.add(gateway);
    gateway.kill('SIGKILL');
    await gateway.ended;
  }

  startNode(name: string, number: number): void {
    const { slots, stepMs, failureRate = 0.05 } = this.options;
    const simulation = ['--step-duration', `${stepMs}ms`, '--failure-rate', String(failureRate)];
    this.run(['node', '--warehouse', name, '--node-name', `${name}-${number}`, '--slots', String(slots), '--ops-port', '0', ...simulation]);
  }

  async health(): Promise<{ name: string; status: string }[]> {
    const answer = (await (await fetch(`${this.url}/health`)).json()) as { warehouses: { name: string; status: string }[] };
    return answer.warehouses;
  }

  /** What the gateways wrote of requests that they answered with 500. */
  unexpectedFailures(): string[] {
    return this.processes.flatMap((child) => child.linesWith('a request failed unexpectedly'));
  }

  /** Calls `use` with a client of each warehouse's database, straight. */
  async eachDatabase<Result>(use: (client: pg.Client, name: string) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    for (const [name, server] of this.servers) {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      results.push(await use(client, name).finally(() => client.end()));
    }
    return results;
  }

  urlOf(name: string): string {
    return (this.servers.get(name) as EmbeddedServer).url;
  }

  async close(): Promise<void> {
    this.closing = true;
    for (const child of this.processes) child.kill('SIGKILL');
    await Promise.all(this.processes.map((child) => child.ended));
    await Promise.all([...this.servers.values()].map((server) => server.stop('immediate')));
    process.off('exit', this.killAll);
    await rm(this.folder, { recursive: true, force: true });
  }

  private run(args: string[], env: Record<string, string> = {}): ConveyorProcess {
    const addresses = [...this.servers].map(([name, server]) => `${name}=${server.url}`).join(' ');
    const child = startConveyor(args, { cwd: tmpdir(), env: { CONVEYOR_WAREHOUSES: addresses, CONVEYOR_LOG_LEVEL: 'warn', ...env } });
    this.processes.push(child);
    void child.ended.then(({ exitCode, stderr }) => {
      if (!this.closing && !this.expected.has(child))
        this.faults.push(`conveyor ${args.slice(0, 3).join(' ')} ended by itself with ${exitCode}: ${stderr.slice(-1_000)}`);
    });
    return child;
  }

  private readonly killAll = (): void => {
    for (const child of this.processes) child.kill('SIGKILL');
    for (const server of this.servers.values()) {
      try {
        process.kill(server.pid, 'SIGKILL');
      } catch {
        // It had ended.
      }
    }
  };
}
