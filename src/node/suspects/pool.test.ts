import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { IsolatedCall } from '#engine/handler.ts';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { Outcome } from '#engine/plan.ts';
import { ABORT_GRACE_MS, type Interruption } from '#engine/run-step.ts';
import { MAX_PROCESSES, SuspectPool } from './pool.ts';

const DONE: Outcome = { kind: 'done', result: 1 };
const TIMEOUT_MS = 2_000;
const BLOCKED_MS = TIMEOUT_MS + ABORT_GRACE_MS + 1_000;

/** A process that does as it is told by the test. */
class FakeChild extends EventEmitter {
  pid: number | undefined = 1;
  connected = true;
  readonly received: { kind: string; why?: string; ids?: object }[] = [];
  readonly signals: string[] = [];

  send(message: { kind: string }): void {
    this.received.push(message);
  }

  kill(signal: string): void {
    this.signals.push(signal);
    this.exit(null, signal);
  }

  exit(code: number | null, signal: string | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
  }

  answer(outcome: Outcome | 'dropped', settled = true): void {
    this.emit('message', { kind: 'outcome', settled, outcome });
  }
}

function begin() {
  const children: FakeChild[] = [];
  const clock = new ManualClock();
  const fork = (): ChildProcess => {
    const child = new FakeChild();
    children.push(child);
    return child as unknown as ChildProcess;
  };
  const pool = new SuspectPool({ fork, clock, log: silentLog, ids: { node: 'n' } });
  const last = (): FakeChild => children.at(-1) as FakeChild;
  /** The last process is ready and was told what to run. */
  const started = async (): Promise<FakeChild> => {
    await settle();
    last().emit('message', { kind: 'ready' });
    await settle();
    return last();
  };
  return { pool, clock, children, started };
}

function call(direction: 'forward' | 'rollback' = 'forward', orderId = 'o') {
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<Interruption>();
  const undo = direction === 'rollback' ? ({ outcome: 'completed', result: null } as const) : undefined;
  const input: IsolatedCall['input'] = {
    ...{ orderId, order: {}, step: 1, stepName: 'S', direction, results: {}, attempt: 1, idempotencyKey: 'k', fence: 1, undo },
  };
  return { call: { workflow: 'w', version: 1, input, timeoutMs: TIMEOUT_MS, interrupted }, interrupt };
}

/** Lets everything happen that waits for no time. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the processes of suspects', () => {
  it('one serves all steps of its order, then the next order, and ends when it was idle for long', async () => {
    const { pool, clock, children, started } = begin();
    const place = pool.open({ session: 7 });
    const first = place.run(call().call);
    (await started()).answer(DONE);
    expect(await first).toEqual(DONE);
    const second = place.run(call().call);
    await settle();
    children[0]?.answer({ kind: 'failed', error: { code: 'step_failure', message: 'no' } });
    expect(await second).toEqual({ kind: 'failed', error: { code: 'step_failure', message: 'no' } });
    expect(children[0]?.received).toMatchObject([{ kind: 'run', ids: { node: 'n', session: 7 } }, { kind: 'run' }]);
    place.close();
    const next = pool.open({ session: 7 });
    const other = next.run(call('forward', 'p').call);
    await settle();
    children[0]?.answer(DONE);
    await other;
    expect(children).toHaveLength(1);
    next.close();
    expect(children[0]?.signals).toEqual([]);
    clock.pass(5_000);
    expect(children[0]?.signals).toEqual(['SIGKILL']);
    expect(clock.waitingCount).toBe(0);
  });

  it('I15: a death in one that has served others is put to the proof in a fresh one, and only that counts', async () => {
    const { pool, children, started } = begin();
    const first = pool.open({});
    const before = first.run(call().call);
    (await started()).answer(DONE);
    await before;
    first.close();
    const innocent = pool.open({});
    const run = innocent.run(call('forward', 'p').call);
    await settle();
    expect(children).toHaveLength(1);
    children[0]?.exit(null, 'SIGSEGV');
    (await started()).answer(DONE);
    expect(await run).toEqual(DONE);
    expect(children).toHaveLength(2);
    const guilty = innocent.run(call('forward', 'p').call);
    await settle();
    children[1]?.exit(null, 'SIGABRT');
    expect(await guilty).toMatchObject({ kind: 'crashed', error: { message: expect.stringMatching(/SIGABRT/) } });
  });

  it.each([
    ['a signal', null, 'SIGABRT', /ended with signal SIGABRT/],
    ['process.exit', 0, null, /ended with exit code 0/],
  ])('I15: a death by %s is told as a quarantine', async (_, code, signal, told) => {
    const { pool, started } = begin();
    const run = pool.open({}).run(call().call);
    (await started()).exit(code, signal);
    expect(await run).toMatchObject({ kind: 'crashed', error: { code: 'quarantined', message: expect.stringMatching(told) } });
    expect(await run).toMatchObject({ error: { message: expect.stringMatching(/step S .*release the order.*or cancel it/) } });
  });

  it('I15: a death between two steps counts too', async () => {
    const { pool, children, started } = begin();
    const place = pool.open({});
    const first = place.run(call().call);
    (await started()).answer(DONE);
    await first;
    children[0]?.exit(1);
    expect(await place.run(call('rollback').call)).toMatchObject({
      kind: 'crashed',
      error: { message: expect.stringMatching(/the undo of S .*exit code 1 after the step before/) },
    });
  });

  it('I15: one that does not answer in time is killed, and that counts', async () => {
    const { pool, clock, started } = begin();
    const run = pool.open({}).run(call().call);
    const child = await started();
    clock.pass(BLOCKED_MS);
    expect(await run).toMatchObject({ kind: 'crashed', error: { message: expect.stringMatching(/did not answer within 2000 ms/) } });
    expect(child.signals).toEqual(['SIGKILL']);
  });

  it('one that holds a handler which did not end is killed, and that counts for nothing: the next step gets another', async () => {
    const { pool, children, started } = begin();
    const place = pool.open({});
    const late: Outcome = { kind: 'errored', error: { code: 'timeout', message: 'late' } };
    const first = place.run(call().call);
    (await started()).answer(late, false);
    expect(await first).toEqual(late);
    expect(children[0]?.signals).toEqual(['SIGKILL']);
    const undo = place.run(call('rollback').call);
    (await started()).answer(DONE);
    expect(await undo).toEqual(DONE);
    expect(children).toHaveLength(2);
  });

  it('a cancel is told to it; one that ignores that is killed, and that counts for nothing', async () => {
    const { pool, clock, started } = begin();
    const { call: cancelled, interrupt } = call();
    const run = pool.open({}).run(cancelled);
    const child = await started();
    interrupt('cancelled');
    await settle();
    expect(child.received.at(-1)).toEqual({ kind: 'interrupt', why: 'cancelled' });
    clock.pass(BLOCKED_MS);
    expect(await run).toEqual({ kind: 'cancelled' });
    expect(child.signals).toEqual(['SIGKILL']);
  });

  it('I3: nobody waits for a dropped one: it has its grace to clean up, then it is killed', async () => {
    const { pool, clock, started } = begin();
    const { call: dropped, interrupt } = call();
    const place = pool.open({});
    const run = place.run(dropped);
    const child = await started();
    interrupt('dropped');
    expect(await run).toBe('dropped');
    place.close();
    expect(child.signals).toEqual([]);
    clock.pass(ABORT_GRACE_MS);
    await settle();
    expect(child.signals).toEqual(['SIGKILL']);
  });

  it('start one after the other; those beyond the limit wait; one that is cancelled meanwhile leaves the line', async () => {
    const { pool, children, started } = begin();
    const places = Array.from({ length: MAX_PROCESSES }, () => pool.open({}));
    for (const place of places) void place.run(call().call);
    const { call: impatient, interrupt } = call();
    const cancelled = pool.open({}).run(impatient);
    void pool.open({}).run(call().call);
    for (let count = 1; count <= MAX_PROCESSES; count += 1) {
      await settle();
      expect(children).toHaveLength(count);
      await started();
    }
    await settle();
    expect(children).toHaveLength(MAX_PROCESSES);
    interrupt('cancelled');
    expect(await cancelled).toEqual({ kind: 'cancelled' });
    children[0]?.answer(DONE);
    await settle();
    places[0]?.close();
    await settle();
    // Its process goes to the one that waited.
    expect(children).toHaveLength(MAX_PROCESSES);
    expect(children[0]?.received.filter(({ kind }) => kind === 'run')).toHaveLength(2);
  });

  it('one that cannot be started says nothing about its order', async () => {
    const refused = new SuspectPool({
      ...{ clock: new ManualClock(), log: silentLog, ids: {} },
      fork: () => {
        throw new Error('spawn ENOMEM');
      },
    });
    const failed = { kind: 'errored', error: { code: 'isolation_failed' } };
    expect(await refused.open({}).run(call().call)).toMatchObject(failed);
    const { pool, children } = begin();
    const run = pool.open({}).run(call().call);
    await settle();
    children[0]?.exit(1);
    expect(await run).toMatchObject(failed);
  });

  it('what a handler sends by itself is no answer', async () => {
    const { pool, started } = begin();
    const run = pool.open({}).run(call().call);
    const child = await started();
    for (const message of [
      'ready',
      null,
      { kind: 'outcome', outcome: DONE },
      { kind: 'outcome', settled: true, outcome: { kind: 'crashed' } },
    ])
      child.emit('message', message);
    child.answer({ kind: 'done', result: 'mine' });
    expect(await run).toEqual({ kind: 'done', result: 'mine' });
  });
});
