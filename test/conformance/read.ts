import { beforeEach, describe, expect, it } from 'vitest';
import type { Suite } from './store-conformance.ts';
import { acceptOne, claimOne, clearQueue, completeSteps, describeNode, readOne, TTL_MS } from './support.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';

export function describeRead(suite: Suite): void {
  let session: number;
  let orderId: string;
  const node = describeNode({ nodeName: `l'"outre {,}` });
  beforeEach(async () => {
    session = await suite.store.openSession(node, TTL_MS);
    await clearQueue(suite.store);
    orderId = await acceptOne(suite.store);
  });

  describe('readOrders', () => {
    it('answers in the order of the ids, unknown ones with nothing, repeated ones again', async () => {
      const other = await acceptOne(suite.store);
      const records = await suite.second.readOrders([other, NOBODY, orderId, other]);
      expect(records.map((record) => record?.order.orderId)).toEqual([other, undefined, orderId, other]);
      expect(await suite.store.readOrders([])).toEqual([]);
    });

    it('an id in capitals is the same id', async () => {
      expect((await suite.store.readOrders([orderId.toUpperCase()]))[0]?.order.orderId).toBe(orderId);
    });

    it('names the node of every session in the history, also after its end', async () => {
      await claimOne(suite.store, session, orderId);
      await suite.store.endSessions([session], 'left');
      const { nodes } = await readOne(suite.second, orderId);
      expect(nodes.get(session)).toEqual({ nodeId: node.nodeId, nodeName: node.nodeName });
    });

    it('what was read does not change what is stored', async () => {
      const record = await readOne(suite.store, orderId);
      record.order.state = 'failed';
      record.order.content.region = 'changed';
      record.events.pop();
      expect(await readOne(suite.store, orderId)).toMatchObject({ order: { state: 'queued', content: {} }, events: [{ version: 1 }] });
    });
  });

  describe('readEventsAfter', () => {
    it('I4: gives the events after a version, oldest first, each reader its own', async () => {
      await completeSteps(suite.store, session, await claimOne(suite.store, session, orderId), 2);
      const all = (await readOne(suite.store, orderId)).events;
      expect(all.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
      const cursors = [0, 2, 4, 99].map((afterVersion) => ({ orderId, afterVersion }));
      expect(await suite.second.readEventsAfter([...cursors, { orderId: NOBODY, afterVersion: 0 }])).toEqual([
        all,
        all.slice(2),
        [],
        [],
        [],
      ]);
      expect(await suite.store.readEventsAfter([])).toEqual([]);
    });

    it('moments in a history never go back', async () => {
      await completeSteps(suite.store, session, await claimOne(suite.store, session, orderId), 3);
      const moments = (await readOne(suite.store, orderId)).events.map(({ at }) => at);
      expect(moments).toEqual([...moments].sort((a, b) => a - b));
    });
  });
}
