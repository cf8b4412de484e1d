import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultSettings } from '#config/load.ts';
import { startEmbedded } from '#embedded/server.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { buildGateway } from '#gateway/app.ts';
import { migrate, readSchemaVersion } from '#store/postgres/migrate.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';
import type { Surroundings } from '../surroundings.ts';

export interface DemoOptions {
  stepDurationMs: number;
  failureRate: number;
}

/** A cluster of its own for the time of the demo: a database, a gateway, and nodes in processes of their own. */
export interface DemoCluster extends AsyncDisposable {
  /** Of the gateway. */
  url: string;
  databaseUrl: string;
  store: Store;
  nodes: Map<string, ChildProcess>;
  startNode(name: string): void;
}

const WAREHOUSE = 'HCM';
const BIN = fileURLToPath(new URL('../../../bin/conveyor.js', import.meta.url));

export async function startDemoCluster(options: DemoOptions, { clock, version }: Surroundings): Promise<DemoCluster> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'conveyor-demo-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  // PostgreSQL runs as another user when root starts it: it must be able to come here.
  await chmod(folder, 0o755);
  const server = await startEmbedded({ warehouse: WAREHOUSE, dataDir: folder, log: silentLog, clock });
  undo.defer(() => server.stop('immediate'));
  await migrate(server.url, WAREHOUSE, silentLog);
  const store = await openPostgresStore({ url: server.url, log: silentLog, clock });
  undo.defer(() => store.close());
  const workflow = orderWorkflow({ ...options, clock });
  await store.registerWorkflows([{ name: workflow.name, version: workflow.version, stepNames: workflow.steps.map(({ name }) => name) }]);
  const { maxWaitingOrders } = defaultSettings(['maxWaitingOrders']);
  const app = await buildGateway({
    ...{ warehouses: [store], registry: new WorkflowRegistry([workflow]), workflowName: workflow.name, clock, log: silentLog, version },
    ...{ serviceId: '00000000-0000-8000-8000-000000000000', serviceName: 'demo', developmentTokens: true, maxWaitingOrders },
    join: {
      databases: new Map([[WAREHOUSE, server.url]]),
      ...{ databasesAreHere: true, needsToken: false, schema: await readSchemaVersion(), simulation: options },
    },
  });
  undo.defer(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const nodes = new Map<string, ChildProcess>();
  undo.defer(() => stopAll(nodes));
  const closing = undo.move();
  return {
    ...{ url, databaseUrl: server.url, store, nodes },
    startNode: (name) => void nodes.set(name, spawnNode(name, url, folder)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** As from another terminal: without the settings of whoever runs the demo. */
function spawnNode(name: string, url: string, cwd: string): ChildProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !variable.startsWith('CONVEYOR_')));
  // In a group of its own: a Ctrl-C is for the demo, which ends its nodes by itself.
  return spawn(process.execPath, [BIN, 'node', '--join', url, '--node-name', name, '--log-level', 'silent'], {
    cwd,
    env,
    stdio: 'ignore',
    detached: true,
  });
}

async function stopAll(nodes: ReadonlyMap<string, ChildProcess>): Promise<void> {
  for (const child of nodes.values()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
