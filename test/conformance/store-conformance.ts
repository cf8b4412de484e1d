import { afterAll, beforeAll, describe } from 'vitest';
import type { Store } from '#engine/store.ts';
import { describeAccept } from './accept.ts';
import { describeAdvance } from './advance.ts';
import { describeBulk } from './bulk.ts';
import { describeCancel } from './cancel.ts';
import { describeClaim } from './claim.ts';
import { describeCluster } from './cluster.ts';
import { describeHints } from './hints.ts';
import { describeList } from './list.ts';
import { describeOutbox } from './outbox.ts';
import { describePeers } from './peers.ts';
import { describeRandomRuns } from './random-runs.ts';
import { describeRead } from './read.ts';
import { describeRegister } from './register.ts';
import { describeSessions } from './sessions.ts';
import { describeStatistics } from './statistics.ts';
import { ORDER_WORKFLOW, type StoreUnderTest } from './support.ts';
import { describeTokens } from './tokens.ts';
import { describeWebhooks } from './webhooks.ts';

/** The store under test, once it is open; every test of a suite shares it and brings orders of its own. */
export interface Suite {
  readonly store: Store;
  readonly second: Store;
  readonly underTest: StoreUnderTest;
}

/** Every sentence of the port, held against one implementation. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  const parts = [
    describeAccept,
    describeClaim,
    describeAdvance,
    describeSessions,
    describeCancel,
    describeList,
    describeRead,
    describeTokens,
    describeRegister,
    describeHints,
    describeCluster,
    describePeers,
    describeOutbox,
    describeWebhooks,
    describeBulk,
    describeStatistics,
    describeRandomRuns,
  ];
  describe(`the store port on ${name}`, () => {
    for (const part of parts) describeWith(open, part);
  });
}

function describeWith(open: () => Promise<StoreUnderTest>, part: (suite: Suite) => void): void {
  describe('', () => {
    let opened: { underTest: StoreUnderTest; second: Store } | undefined;
    const get = (): { underTest: StoreUnderTest; second: Store } => {
      if (!opened) throw new Error('the store is open only while tests run');
      return opened;
    };
    beforeAll(async () => {
      const underTest = await open();
      await underTest.store.registerWorkflows([ORDER_WORKFLOW]);
      opened = { underTest, second: await underTest.openSecond() };
    });
    afterAll(async () => {
      await opened?.second.close();
      await opened?.underTest.close();
    });
    part({
      get store() {
        return get().underTest.store;
      },
      get second() {
        return get().second;
      },
      get underTest() {
        return get().underTest;
      },
    });
  });
}
