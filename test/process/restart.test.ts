import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { type ConveyorProcess, runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { openFolder } from '#test/folders.ts';
import { countOpen, readRecords, violationsOf } from '#test/orders.ts';
import { freePort, isUp, waitUntil } from '#test/waiting.ts';

const ORDERS = 1_000;
const CANCELLED = 20;

describe('a start that is killed with everything it started', async () => {
  const dataDir = await openFolder('conveyor-restart-');
  const url = `http://localhost:${await freePort()}`;
  const running: ConveyorProcess[] = [];

  const start = async (): Promise<ConveyorProcess> => {
    const command = startConveyor(
      ['start', '--embedded', 'HCM', '--port', new URL(url).port, '--data-dir', dataDir, '--step-duration', '400ms', '--slots', '100'],
      { cwd: dataDir },
    );
    running.push(command);
    await waitUntil('the gateway to answer', () => isUp(url));
    return command;
  };
  const postmasterPid = async (): Promise<number> =>
    Number((await readFile(join(dataDir, 'HCM/pg18/postmaster.pid'), 'utf8')).split('\n')[0]);
  const openStore = async (): Promise<Store> => {
    const database = await findEmbedded({ warehouse: 'HCM', dataDir });
    return openPostgresStore({ url: database ?? '', log: silentLog, clock: systemClock });
  };
  const post = (path: string): Promise<Response> =>
    fetch(url + path, { method: 'POST', headers: { authorization: 'user', 'content-type': 'application/json' }, body: '{}' });
  const submit = async (): Promise<string> => {
    const answer = await post('/orders');
    expect(answer.status).toBe(202);
    return ((await answer.json()) as { order_id: string }).order_id;
  };
  /** Whether that was promised: 202, and 409 of one that has ended meanwhile. */
  const cancel = async (orderId: string): Promise<boolean> => {
    const { status } = await post(`/orders/${orderId}/cancel`);
    expect([202, 409]).toContain(status);
    return status === 202;
  };

  afterAll(async () => {
    for (const command of running) {
      command.kill('SIGTERM');
      await command.ended;
    }
    await rm(dataDir, { recursive: true, force: true });
  });

  it('I1 I4 I8 I9 I10 I11 I12: every order goes on at the step it was in, and ends; a cancel survives', async () => {
    const first = await start();
    const ids = await Promise.all(Array.from({ length: ORDERS }, submit));
    const before = await openStore();
    await waitUntil('orders to be in the middle of their steps', async () =>
      (await readRecords(before, ids)).some(({ events }) => events.some((event) => event.kind === 'step_completed' && event.step === 2)),
    );
    const cancelled = new Set<string>();
    await waitUntil('some running orders to be cancelled', async () => {
      // Some have ended since they were read: what counts is what was promised.
      const running = (await readRecords(before, ids)).flatMap(({ order }) => (order.state === 'running' ? [order.orderId] : []));
      const asked = running.slice(0, CANCELLED);
      const promised = await Promise.all(asked.map(cancel));
      for (const [index, orderId] of asked.entries()) if (promised[index]) cancelled.add(orderId);
      return cancelled.size >= CANCELLED;
    });
    const postmaster = await postmasterPid();
    process.kill(first.pid, 'SIGKILL');
    process.kill(postmaster, 'SIGKILL');
    await first.ended;
    await before.close();

    await start();
    const store = await openStore();
    await waitUntil('every order to end', async () => (await countOpen(store, ids)) === 0, 120_000);
    const records = await readRecords(store, ids);
    await store.close();
    expect(records).toHaveLength(ORDERS);
    expect(violationsOf(records)).toEqual([]);

    const handedOver = records.filter(({ events }) => events.some((event) => event.kind === 'handed_over'));
    expect(handedOver.length).toBeGreaterThan(0);
    for (const { events } of handedOver) {
      const at = events.findIndex((event) => event.kind === 'handed_over');
      expect(events[at + 1]).toMatchObject({ kind: 'claimed', step: events[at]?.step, direction: events[at]?.direction });
    }
    const ends = new Map(records.map(({ order }) => [order.orderId, order.state]));
    for (const orderId of cancelled) expect(ends.get(orderId)).toBe('cancelled');
  });

  it('I1 I3 I9: the database alone is killed twice: it comes back by itself, and every order goes on', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, submit));
    for (let kills = 0; kills < 2; kills += 1) {
      const killed = await postmasterPid();
      process.kill(killed, 'SIGKILL');
      await waitUntil('the database to be up again', async () => (await postmasterPid().catch(() => killed)) !== killed);
      await waitUntil('orders to be accepted again', () =>
        fetch(`${url}/orders`, { method: 'POST', headers: { authorization: 'user' } }).then((answer) => answer.status === 202),
      );
    }
    const store = await openStore();
    await waitUntil('every order to end', async () => (await countOpen(store, ids)) === 0);
    const records = await readRecords(store, ids);
    await store.close();
    expect(records).toHaveLength(300);
    expect(violationsOf(records)).toEqual([]);
  });

  it('says that it runs when it is started a second time on the same folder', async () => {
    const second = await runConveyor(['start', '--embedded', 'HCM', '--port', String(await freePort()), '--data-dir', dataDir], {
      cwd: dataDir,
    });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain('already runs on this folder');
    expect(second.stderr).toContain(url);
  });

  it('leaves cleanly at SIGTERM: orders go back to the queue, the database stops', async () => {
    const command = running.at(-1) as ConveyorProcess;
    const orderId = await submit();
    command.kill('SIGTERM');
    expect((await command.ended).exitCode).toBe(0);
    await expect(findEmbedded({ warehouse: 'HCM', dataDir })).resolves.toBeUndefined();
    await start();
    const store = await openStore();
    await waitUntil('the order to end', async () => (await countOpen(store, [orderId])) === 0);
    const records = await readRecords(store, [orderId]);
    await store.close();
    expect(violationsOf(records)).toEqual([]);
  });
});
