import { randomUUID } from 'node:crypto';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { ClaimedOrder, Store } from '#engine/store.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { waitUntil } from '#test/waiting.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { acceptOne, closingOf, moveOf } from '../../conformance/support.ts';
import type { Stage } from './support.ts';

/** Each scenario answers what it found wrong; nothing when the SQL does what it must. */
export type Scenario = (stage: Stage) => Promise<string[]>;

const unless = (holds: boolean, finding: string): string[] => (holds ? [] : [finding]);

async function claimedOrder({ store, a }: Stage, session: number): Promise<ClaimedOrder> {
  const orderId = await acceptOne(store);
  const claimed = (await a.claim(session)).find((order) => order.orderId === orderId);
  if (!claimed) throw new Error('the order was not claimed');
  return claimed;
}

/** A claim is under way when its session is ended: whatever it takes is handed on. */
const claimThenTakeover: Scenario = async (stage) => {
  const { a, b, store, observer, endSurely } = stage;
  const session = await stage.openSession();
  await acceptOne(store);
  await a.begin();
  const claimed = await a.claim(session);
  // The takeover either waits for the claim or passes its session over; both end when the claim has committed.
  const ending = b.endSession(session);
  const first = await Promise.race([ending, b.untilWaiting(observer).then(() => 'waits' as const)]);
  await a.commit();
  if (first === 'waits') await ending;
  else if (first === 0) await endSurely(session);
  return unless(claimed.length === 1, 'the claim took nothing');
};

/** A session is being ended when its claim comes: the claim takes nothing. */
const takeoverThenClaim: Scenario = async (stage) => {
  const { a, b, store, observer } = stage;
  const session = await stage.openSession();
  await acceptOne(store);
  await a.begin();
  await a.endSession(session);
  const claiming = b.claim(session);
  await Promise.race([claiming, b.untilWaiting(observer)]);
  await a.commit();
  return unless((await claiming).length === 0, 'I6: a session that had been ended claimed an order');
};

/** A step's completion is under way when its session is ended: it counts, and the hand-over follows it. */
const advanceThenTakeover: Scenario = async (stage) => {
  const { a, b, observer, endSurely, store } = stage;
  const session = await stage.openSession();
  const claimed = await claimedOrder(stage, session);
  await a.begin();
  const verdict = await a.advance(session, moveOf(claimed, 'step_completed'));
  const ending = b.endSession(session);
  const first = await Promise.race([ending, b.untilWaiting(observer).then(() => 'waits' as const)]);
  await a.commit();
  if (first === 'waits') await ending;
  else if (first === 0) await endSurely(session);
  const [record] = await store.readOrders([claimed.orderId]);
  return [
    ...unless(verdict === 'applied', `the completion was ${verdict}`),
    ...unless(record?.order.step === 2, `the order goes on at step ${record?.order.step}, though step 1 was completed`),
  ];
};

/** A session is being ended when a completion of its comes: it is refused, be it of a step or of the order. */
const takeoverThenAdvance =
  (closes: boolean): Scenario =>
  async (stage) => {
    const { a, b, observer } = stage;
    const session = await stage.openSession();
    const claimed = await claimedOrder(stage, session);
    await a.begin();
    await a.endSession(session);
    const move = closes ? closingOf(claimed, 'handed_back', 'queued') : moveOf(claimed, 'step_completed');
    const advancing = b.advance(session, move);
    await Promise.race([advancing, b.untilWaiting(observer)]);
    await a.commit();
    const verdict = await advancing;
    return unless(verdict === 'fenced', `I6: a write of a session that had been ended was ${verdict}`);
  };

/** The order was transferred and others work it: a late write of its first owner is refused, be it of a step or of the order. */
const transferThenLateWrite =
  (closes: boolean): Scenario =>
  async (stage) => {
    const { a, b, endSurely } = stage;
    const [first, second] = [await stage.openSession(), await stage.openSession()];
    const claimed = await claimedOrder(stage, first);
    await endSurely(first);
    const [again] = await b.claim(second);
    // The late write bears the version that follows by now: only its session and fence are old.
    const move = closes ? closingOf(claimed, 'handed_back', 'queued') : moveOf(claimed, 'step_completed');
    const late = await a.advance(first, { ...move, version: (again?.version ?? 0) + 1 });
    const own = await b.advance(second, moveOf(again as ClaimedOrder, 'step_completed'));
    return [
      ...unless(late === 'fenced', `I7: a late write of the first owner was ${late}`),
      ...unless(own === 'applied', `the owner's own completion was ${own}`),
    ];
  };

/** A cancel is under way when the owner completes the order: it is told, and undoes. */
const cancelThenComplete: Scenario = async (stage) => {
  const { a, b, observer } = stage;
  const session = await stage.openSession();
  const claimed = await claimedOrder(stage, session);
  const steps = { ...claimed, step: 4 };
  for (let step = 1; step <= 3; step += 1) await a.advance(session, moveOf(claimed, 'step_completed', { step }, step - 1));
  await a.begin();
  const outcome = await a.cancel(claimed.orderId);
  const completing = b.advance(session, { ...closingOf(steps, 'completed', 'completed'), version: claimed.version + 4 });
  await b.untilWaiting(observer);
  await a.commit();
  const verdict = await completing;
  return [
    ...unless(outcome === 'requested', `the cancel was ${outcome}`),
    ...unless(verdict === 'cancel_requested', `the completion of an order whose cancel waited was ${verdict}`),
  ];
};

/** The owner completes the order while a cancel comes: the cancel is refused. */
const completeThenCancel: Scenario = async (stage) => {
  const { a, b, observer } = stage;
  const session = await stage.openSession();
  const claimed = await claimedOrder(stage, session);
  for (let step = 1; step <= 3; step += 1) await a.advance(session, moveOf(claimed, 'step_completed', { step }, step - 1));
  await a.begin();
  const verdict = await a.advance(session, {
    ...closingOf({ ...claimed, step: 4 }, 'completed', 'completed'),
    version: claimed.version + 4,
  });
  const cancelling = b.cancel(claimed.orderId);
  await b.untilWaiting(observer);
  await a.commit();
  const outcome = await cancelling;
  return [...unless(verdict === 'applied', `the completion was ${verdict}`), ...unless(outcome === 'refused', `the cancel was ${outcome}`)];
};

/** An order that waits is being claimed when its cancel comes: the cancel waits for the claim and is told to its owner. */
const claimThenCancel: Scenario = async (stage) => {
  const { a, b, observer, store } = stage;
  const session = await stage.openSession();
  const orderId = await acceptOne(store);
  await a.begin();
  const claimed = await a.claim(session);
  const cancelling = b.cancel(orderId);
  await b.untilWaiting(observer);
  await a.commit();
  const outcome = await cancelling;
  const report = await b.tick(session);
  return [
    ...unless(claimed.length === 1, 'the claim took nothing'),
    ...unless(outcome === 'requested', `the cancel was ${outcome}`),
    ...unless(report?.cancelRequests.includes(orderId) === true, 'the owner does not learn of the cancel with its tick'),
  ];
};

/** The same, and the owner hands the order back before the cancel gets its lock: it is cancelled where it waits now. */
const claimAndHandBackThenCancel: Scenario = async (stage) => {
  const { a, b, observer, store } = stage;
  const session = await stage.openSession();
  const orderId = await acceptOne(store);
  await a.begin();
  const [claimed] = await a.claim(session);
  if (!claimed) return ['the claim took nothing'];
  const cancelling = b.cancel(orderId);
  await b.untilWaiting(observer);
  await a.advance(session, closingOf(claimed, 'handed_back', 'queued'));
  await a.commit();
  const outcome = await cancelling;
  const [record] = await store.readOrders([orderId]);
  return [
    ...unless(outcome === 'requested', `the cancel was ${outcome}`),
    ...unless(record?.order.direction === 'rollback', 'a cancelled order that had begun is not undone'),
  ];
};

/** An order that waits is being cancelled when a claim comes: the claim passes it over, and nobody waits crosswise. */
const cancelThenClaim: Scenario = async (stage) => {
  const { a, b, store } = stage;
  const session = await stage.openSession();
  const [orderId, other] = [await acceptOne(store), await acceptOne(store)];
  await a.begin();
  const outcome = await a.cancel(orderId);
  const claimed = await b.claim(session);
  await a.commit();
  return [
    ...unless(outcome === 'cancelled', `the cancel was ${outcome}`),
    ...unless(claimed.length === 1 && claimed[0]?.orderId === other, 'the claim did not take exactly the other order'),
  ];
};

/** A cancel and the completion of a step do not wait for each other; the owner learns of the cancel at the end. */
const cancelBesideAppend: Scenario = async (stage) => {
  const { a, b } = stage;
  const session = await stage.openSession();
  const claimed = await claimedOrder(stage, session);
  await a.begin();
  await a.cancel(claimed.orderId);
  const verdict = await b.advance(session, moveOf(claimed, 'step_completed'));
  await a.commit();
  const report = await b.tick(session);
  return [
    ...unless(verdict === 'applied', `the completion of a step beside a cancel was ${verdict}`),
    ...unless(report?.cancelRequests.includes(claimed.orderId) === true, 'the owner does not learn of the cancel with its tick'),
  ];
};

/** A session that was declared dead renews nothing, also when its node lives on in another session. */
const lateHeartbeat: Scenario = async (stage) => {
  const { a, b, endSurely } = stage;
  const nodeId = randomUUID();
  const first = await stage.openSession(nodeId);
  await endSurely(first);
  const second = await stage.openSession(nodeId);
  const before = (await b.tick(second))?.sessions.find(({ session }) => session === second)?.beat ?? 0;
  const late = await a.tick(first);
  const after = (await b.tick(second))?.sessions.find(({ session }) => session === second)?.beat ?? 0;
  return [
    ...unless(late === undefined, 'I6: a dead session had its heartbeat answered'),
    ...unless(after === before + 1, 'the heartbeat of a dead session moved another one'),
  ];
};

/** A leader that lost its lease and leads again in a later term: what it sent in the old one renews nothing. */
const lateLeaderRenewal: Scenario = async (stage) => {
  const { a, b, observer } = stage;
  const [one, two] = [await stage.openSession(), await stage.openSession()];
  const bid = (term: number | undefined) => ({ leading: { term, worked: true } });
  const expire = (): Promise<unknown> => observer.query(`update leader_lease set lease_until = '-infinity'`);
  const first = (await a.tick(one, bid(undefined)))?.leaderTerm;
  await expire();
  const second = (await b.tick(two, bid(undefined)))?.leaderTerm;
  await expire();
  const third = (await b.tick(one, bid(undefined)))?.leaderTerm;
  const late = (await a.tick(one, bid(first)))?.leaderTerm;
  return [
    ...unless(first !== undefined && second === first + 1 && third === first + 2, `terms were ${first}, ${second}, ${third}`),
    ...unless(late === undefined, 'a renewal of an old term was taken for one of the present term'),
  ];
};

/** The answer to a claim is lost on a node that lives: it finds out that the orders are its own, and works them. */
const lostClaimAnswer: Scenario = async (stage) => {
  const store = await openPostgresStore({ url: stage.url, log: silentLog, clock: systemClock });
  const orderId = await acceptOne(store);
  let lost = 0;
  const flaky: Store = Object.assign(Object.create(store) as Store, {
    async claimOrders(session: number, limit: number): Promise<ClaimedOrder[]> {
      const claimed = await store.claimOrders(session, limit);
      if (claimed.length === 0 || lost > 0) return claimed;
      lost += 1;
      throw new Error('the answer was lost');
    },
    ...(stage.sql.reconciles ? {} : { readOwnedOrders: async () => [] }),
  });
  const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock })]);
  const lease = { ttlMs: 900, heartbeatMs: 100, marginMs: 200 };
  const node = await startNode({
    ...{ store: flaky, registry, slots: 5, nodeId: randomUUID(), nodeName: 'flaky', version: 't', log: silentLog, lease },
  });
  try {
    const beats = async (): Promise<number> =>
      (await stage.observer.query<{ hb_seq: number }>('select hb_seq from node_sessions where session_id = $1', [node.session])).rows[0]
        ?.hb_seq ?? 0;
    const stateOf = async (): Promise<string | undefined> => (await store.readOrders([orderId]))[0]?.order.state;
    // Thirty heartbeats are thirty chances to find out.
    await waitUntil(
      'the order to end, or the node to have had its chances',
      async () => (await stateOf()) === 'completed' || (await beats()) > 30,
    );
    return unless((await stateOf()) === 'completed', 'I1: an order stays running on a live node that does not know of it');
  } finally {
    await node.stop({ graceMs: 0 });
    await store.close();
  }
};

export const SCENARIOS: readonly [name: string, scenario: Scenario][] = [
  ['I3: claim × takeover', claimThenTakeover],
  ['I6: takeover × claim', takeoverThenClaim],
  ['I4 I9: advance × takeover', advanceThenTakeover],
  ['I6: takeover × advance of a step', takeoverThenAdvance(false)],
  ['I6: takeover × closing advance', takeoverThenAdvance(true)],
  ['I5 I7: transfer × late advance of a step', transferThenLateWrite(false)],
  ['I5 I7: transfer × late closing advance', transferThenLateWrite(true)],
  ['I12: cancel × completion', cancelThenComplete],
  ['I12: completion × cancel', completeThenCancel],
  ['I9: cancel × advance of a step', cancelBesideAppend],
  ['claim × cancel', claimThenCancel],
  ['claim and hand-back × cancel', claimAndHandBackThenCancel],
  ['cancel × claim', cancelThenClaim],
  ['I6: late heartbeat × new session', lateHeartbeat],
  ['late renewal × new term of the leader', lateLeaderRenewal],
  ['I1: the lost answer of a claim', lostClaimAnswer],
];
