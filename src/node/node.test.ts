import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { SessionAttendant, Store } from '#engine/store.ts';
import { defineWorkflow, step } from '#engine/workflow.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { newOrder } from '#test/orders.ts';
import { type RunningNode, startNode } from './node.ts';

/** No regular tick comes while a test runs. */
const RARE_TICKS = { ttlMs: 3_600_000, heartbeatMs: 600_000, marginMs: 400_000 };

const nodes: RunningNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop({ graceMs: 0 });
});

/** A node of one slot whose orders run until they are let go; what it told of itself, and a way to have it do so now. */
async function startSmallNode(store: Store) {
  let attendant: SessionAttendant | undefined;
  const told: number[] = [];
  const watched: Store = {
    ...store,
    attendSession: (session, attends) => {
      attendant = attends;
      return store.attendSession(session, attends);
    },
    tick: (session, ttlMs, load) => {
      told.push(load.busy);
      return store.tick(session, ttlMs, load);
    },
  };
  const letGo = new Map<string, () => void>();
  const run = ({ orderId }: { orderId: string }): Promise<void> => new Promise((resolve) => letGo.set(orderId, resolve));
  const registry = new WorkflowRegistry([defineWorkflow({ name: 'order', version: 1, steps: [step('Only', { run })] })]);
  nodes.push(
    await startNode({
      ...{ store: watched, registry, slots: 1, nodeId: crypto.randomUUID(), nodeName: 'small', version: 'test' },
      ...{ log: silentLog, lease: RARE_TICKS },
    }),
  );
  return { told, letGo, tellNow: () => attendant?.onHint('wish') };
}

describe('a node', () => {
  it('that was full when it last told of itself tells that it is free before it waits for hints: nobody hints to a full node', async () => {
    const store = createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock: systemClock });
    const { told, letGo, tellNow } = await startSmallNode(store);
    await vi.waitFor(() => expect(told).toEqual([0]));
    const [first, second] = [newOrder(), newOrder()];
    await store.acceptOrders([first], { hint: true });
    await vi.waitFor(() => expect(letGo.has(first.orderId)).toBe(true));
    tellNow();
    await vi.waitFor(() => expect(told).toEqual([0, 1]));
    letGo.get(first.orderId)?.();
    await vi.waitFor(() => expect(told).toEqual([0, 1, 0]));
    await store.acceptOrders([second], { hint: true });
    await vi.waitFor(() => expect(letGo.has(second.orderId)).toBe(true));
    expect(told).toEqual([0, 1, 0]);
    letGo.get(second.orderId)?.();
  });
});
