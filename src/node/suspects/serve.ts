import { Worker } from 'node:worker_threads';
import type { Clock } from '#engine/clock.ts';
import { type HandlerInput, prepareHandler } from '#engine/handler.ts';
import type { Log } from '#engine/log.ts';
import type { Outcome } from '#engine/plan.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import { type Interruption, runStep } from '#engine/run-step.ts';
import { type FromChildMessage, readToChild, type ToChildMessage } from './messages.ts';

export interface ServeOptions {
  registry: WorkflowRegistry;
  clock: Clock;
  log: Log;
}

type Run = Extract<ToChildMessage, { kind: 'run' }>;

/** The child's side: runs one handler after the other for the node that started this process, and ends with it. */
export function serveSuspects({ registry, clock, log }: ServeOptions): void {
  let interruption = Promise.withResolvers<Interruption>();
  const send = (message: FromChildMessage): void => {
    process.send?.(message);
  };
  // The node decides about this process: a Ctrl-C or a stop of its group must not look like a handler's deed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.once('disconnect', () => process.exit());
  new Worker(new URL('./parent-guard.ts', import.meta.url), { workerData: { parentPid: process.ppid } }).unref();

  process.on('message', (received) => {
    const message = readToChild(received);
    if (message.kind === 'interrupt') {
      interruption.resolve(message.why);
      return;
    }
    interruption = Promise.withResolvers<Interruption>();
    void run(message, interruption.promise).then((outcome) => send({ kind: 'outcome', outcome } as FromChildMessage));
  });
  send({ kind: 'ready' });

  async function run({ workflow, version, timeoutMs, input }: Run, interrupted: Promise<Interruption>): Promise<Outcome | 'dropped'> {
    const step = registry.find(workflow, version)?.steps[input.step - 1];
    if (!step) return { kind: 'errored', error: { code: 'unknown_workflow', message: `${workflow} version ${version} is unknown here` } };
    const abort = new AbortController();
    const call = prepareHandler(step, input as HandlerInput, abort.signal, () => log.child({ order: input.orderId, step: step.name }));
    return runStep({ call, abort, timeoutMs, clock, interrupted, onAbandoned: () => undefined });
  }
}
