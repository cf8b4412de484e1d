import { Worker } from 'node:worker_threads';
import { type Clock, sleep } from '#engine/clock.ts';
import { type HandlerInput, prepareHandler } from '#engine/handler.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import { ABORT_GRACE_MS, type Interruption, runStep } from '#engine/run-step.ts';
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
    void run(message, interruption.promise).then(send);
  });
  // The node may have gone before anyone here could hear of it.
  if (!process.connected) process.exit();
  send({ kind: 'ready' });

  async function run({ workflow, version, timeoutMs, ids, input }: Run, interrupted: Promise<Interruption>): Promise<FromChildMessage> {
    const step = registry.find(workflow, version)?.steps[input.step - 1];
    if (!step) {
      const error = { code: 'unknown_workflow', message: `${workflow} version ${version} is unknown here` };
      return { kind: 'outcome', settled: true, outcome: { kind: 'errored', error } };
    }
    const abort = new AbortController();
    const handlerLog = log.child({ ...ids, order: input.orderId, step: step.name });
    const handler = watchEnd(prepareHandler(step, input as HandlerInput, abort.signal, handlerLog));
    const outcome = await runStep({
      call: handler.call,
      abort,
      timeoutMs,
      clock,
      interrupted: () => interrupted,
      onAbandoned: () => undefined,
    });
    // Nobody waits for a dropped handler's answer, but it may clean up.
    if (outcome === 'dropped') await Promise.race([handler.end(), sleep(clock, ABORT_GRACE_MS)]);
    return { kind: 'outcome', settled: handler.isSettled(), outcome } as FromChildMessage;
  }
}

/** The same call, and whether what it returned has settled. */
function watchEnd(call: () => unknown): { call: () => unknown; end: () => Promise<void>; isSettled: () => boolean } {
  let end = Promise.resolve();
  let isSettled = true;
  const note = (): void => {
    isSettled = true;
  };
  return {
    call: () => {
      const returned = call();
      if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') return returned;
      // Made a promise here, once: some thenables do their work anew each time someone asks.
      const promise = Promise.resolve(returned);
      isSettled = false;
      end = promise.then(note, note);
      return promise;
    },
    end: () => end,
    isSettled: () => isSettled,
  };
}
