import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '#engine/clock.ts';
import { type Access, ApiClient } from '../client.ts';
import type { RunResult } from './figures.ts';
import { Follower } from './follow.ts';
import { submitOrders } from './submit.ts';
import { Tally } from './tally.ts';

export interface RunOptions {
  access: Access;
  clock: Clock;
  orders: number;
  concurrency: number;
  /** Of all orders; `undefined`: each names one of the cluster's at random. */
  region: string | undefined;
  /** For the whole run. */
  timeoutMs: number;
  /** Aborted by whoever wants the run to end early. */
  interrupt: AbortSignal;
  onProgress: ((tally: Tally) => void) | undefined;
}

const FOLLOW_CONNECTIONS = 16;
const PROGRESS_EVERY_MS = 200;

/** Submits and follows all orders. Submitting and following have connections of their own: one does not slow the other's clock. */
export async function runSimulation(options: RunOptions): Promise<RunResult> {
  const { access, clock, orders, concurrency } = options;
  const submitting = new ApiClient(access, concurrency);
  const following = new ApiClient(access, Math.min(FOLLOW_CONNECTIONS, concurrency + 1));
  const end = new AbortController();
  const timer = clock.after(options.timeoutMs, () => end.abort('timeout'));
  const signal = AbortSignal.any([end.signal, options.interrupt]);
  const tally = new Tally();
  try {
    // Fails here, with a clear word, when nobody answers at all.
    await submitting.call({ method: 'GET', path: '/diagnostic/heartbeat' });
    const regions = options.region === undefined ? await readRegions(submitting) : [options.region];
    void showProgress(options, tally, signal);
    const follower = new Follower({ client: following, clock, tally, signal });
    const startedAtMs = clock.monotonic();
    const followed = follower.run();
    const onAccepted = follower.add.bind(follower);
    await submitOrders({ ...options, regions, client: submitting, tally, runId: randomUUID(), signal, onAccepted });
    const submitMs = clock.monotonic() - startedAtMs;
    follower.complete();
    await followed;
    return { tally, orders, submitMs, interrupted: options.interrupt.aborted };
  } finally {
    timer.cancel();
    end.abort('done');
    await Promise.all([submitting.close(), following.close()]);
  }
}

/** The regions are the warehouses' names. A gateway without warehouses to name gets orders without a region. */
async function readRegions(client: ApiClient): Promise<string[]> {
  const { body } = await client.send({ method: 'GET', path: '/health' });
  const { warehouses } = (body ?? {}) as { warehouses?: unknown };
  if (!Array.isArray(warehouses)) return [];
  return warehouses.flatMap((one: { name?: unknown }) => (typeof one.name === 'string' ? [one.name] : []));
}

async function showProgress({ clock, onProgress }: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> {
  while (onProgress && !signal.aborted) {
    onProgress(tally);
    await sleep(clock, PROGRESS_EVERY_MS, signal).catch(() => undefined);
  }
}
