import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '#domain/errors.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import type { OpsPort } from '#node/ops-port.ts';
import type { LogSettings, NodeSettings, WorkflowSettings } from './compose.ts';
import type { OpenWarehouse } from './databases.ts';
import { deriveId } from './identity.ts';
import { explainListenFault } from './port.ts';
import type { Service } from './service.ts';
import type { Surroundings } from './surroundings.ts';

export interface NodeParts {
  store: Store;
  registry: WorkflowRegistry;
  nodeId: string;
  nodeName: string;
  opsPort: OpsPort;
  /** It was stopped from afar, by an operator: whether the rest of the process goes on. */
  onStopped: (sentence: string) => void;
}

/** Opens a node's operations port; the service closes it after the node. */
export async function startOpsPort(service: Service, settings: NodeSettings, { clock, version }: Surroundings): Promise<OpsPort> {
  const { openOpsPort } = await import('#node/ops-port.ts');
  const { opsHost, opsPort } = settings;
  const port = await openOpsPort({ host: opsHost, port: opsPort, clock, version }).catch((error: unknown) => {
    throw explainListenFault(error, opsHost, opsPort ?? 0, { port: '--ops-port', host: '--ops-host' });
  });
  service.own({ what: 'the operations port', close: () => port.close() });
  return port;
}

/** Starts a node; the service stops it, and running steps may finish within the drain timeout. */
export async function startOneNode(
  service: Service,
  settings: NodeSettings & WorkflowSettings & LogSettings,
  parts: NodeParts,
  surroundings: Surroundings,
): Promise<void> {
  const [{ startNode }, { SuspectPool }] = await Promise.all([import('#node/node.ts'), import('#node/suspects/pool.ts')]);
  const { store, registry, nodeId, nodeName, opsPort, onStopped } = parts;
  const stop = { graceMs: settings.drainTimeoutMs };
  const suspects = new SuspectPool({ fork: () => forkForSuspects(settings), ids: { node: nodeName }, ...surroundings });
  service.own({ what: 'processes for suspects', close: async () => suspects.close() });
  const node = await startNode({
    ...{ store, registry, slots: settings.slots, nodeId, nodeName, address: opsPort.address, stopGraceMs: stop.graceMs },
    lease: { ttlMs: settings.leaseTtlMs, heartbeatMs: settings.heartbeatMs, marginMs: settings.leaseMarginMs },
    gateLimitMs: settings.gateLimitMs,
    retentionMs: settings.retentionMs,
    ...surroundings,
    isolation: suspects,
  });
  opsPort.operate({ node, store, stop: () => void node.stop(stop) });
  service.own({ what: `node ${nodeName}; running steps may finish`, close: () => node.stop(stop) });
  void node.ended.then(
    () => {
      if (!service.isStopping) onStopped(`node ${nodeName} was told to stop`);
    },
    (error: unknown) => service.fail(`node ${nodeName} has failed: ${messageOf(error)}`),
  );
}

const BIN = fileURLToPath(new URL('../../bin/conveyor.js', import.meta.url));

/** With the settings that decide what its handlers are and how they log; in a group of its own, which no Ctrl-C reaches. */
function forkForSuspects(settings: NodeSettings & WorkflowSettings & LogSettings): ChildProcess {
  const flags: [flag: string, value: string][] = [
    ['--step-duration', `${settings.stepDurationMs}ms`],
    ['--failure-rate', String(settings.failureRate)],
    ['--workflow', settings.workflow],
    ['--log-level', settings.logLevel],
    ['--log-format', settings.logFormat],
  ];
  return fork(BIN, ['run-suspects', ...flags.flat()], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/**
 * One node for each warehouse, within a process that does more than that: it goes on when one of them is told to stop. The node
 * of a database that does not answer yet starts when it does.
 */
export async function startNodes(
  service: Service,
  settings: NodeSettings & WorkflowSettings & LogSettings,
  parts: { warehouses: readonly OpenWarehouse[]; registry: WorkflowRegistry; baseId: string },
  surroundings: Surroundings,
): Promise<{ warehouse: string; address: string }[]> {
  const { warehouses, registry, baseId } = parts;
  const started: { warehouse: string; address: string }[] = [];
  for (const [index, warehouse] of warehouses.entries()) {
    const { name, store } = warehouse;
    // A port that was asked for is the first node's; the others have the ones that follow.
    const opsPort = settings.opsPort === undefined || settings.opsPort === 0 ? settings.opsPort : settings.opsPort + index;
    const port = await startOpsPort(service, { ...settings, opsPort }, surroundings);
    started.push({ warehouse: name, address: port.address });
    const node = {
      nodeId: index === 0 ? baseId : deriveId(baseId, name),
      nodeName: warehouses.length === 1 ? settings.nodeName : `${settings.nodeName}-${name}`,
      onStopped: (sentence: string) => surroundings.log.warn({ warehouse: name }, `${sentence}; the gateway goes on`),
    };
    const start = (): Promise<void> => startOneNode(service, settings, { store, registry, opsPort: port, ...node }, surroundings);
    if (warehouse.unready() === undefined) await start();
    else
      void warehouse.ready.then(start).catch((error: unknown) => service.fail(`node ${node.nodeName} cannot start: ${messageOf(error)}`));
  }
  return started;
}
