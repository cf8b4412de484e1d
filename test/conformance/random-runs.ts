import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEnded, type Position, positionAfter } from '#domain/order-state.ts';
import { findViolations } from '#engine/history-check.ts';
import { handBack, type Move, nextMove, type Outcome } from '#engine/plan.ts';
import type { ClaimedOrder, MoveVerdict, OrderMove, Store } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import { describeNode, newOrder, ORDER_WORKFLOW, TTL_MS } from './support.ts';

const STEP_COUNT = ORDER_WORKFLOW.stepNames.length;
const RETRY = { retries: 1, delayMs: 0 };
const ERROR = { code: 'x', message: 'y' };
const OUTCOMES: Record<string, Outcome> = {
  done: { kind: 'done', result: { ok: true } },
  failed: { kind: 'failed', error: ERROR },
  errored: { kind: 'errored', error: ERROR },
};

type Action =
  | { do: 'accept' | 'cancel'; pick: number }
  | { do: 'claim'; node: number; limit: number }
  | { do: 'advance'; node: number; pick: number; outcome: string; resend: boolean }
  | { do: 'hand back' | 'resend late'; node: number; pick: number }
  | { do: 'end'; node: number; reason: 'expired' | 'transfer' | 'left'; aware: boolean };

const node = fc.nat({ max: 2 });
const pick = fc.nat({ max: 7 });
const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constantFrom('accept' as const, 'cancel' as const), pick }),
  fc.record({ do: fc.constant('claim' as const), node, limit: fc.integer({ min: 1, max: 3 }) }),
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ do: fc.constant('advance' as const), node, pick, resend: fc.boolean() },
      outcome: fc.constantFrom('done', 'done', 'done', 'failed', 'errored'),
    }),
  },
  fc.record({ do: fc.constantFrom('hand back' as const, 'resend late' as const), node, pick }),
  fc.record({ do: fc.constant('end' as const), node, reason: fc.constantFrom('expired', 'transfer', 'left'), aware: fc.boolean() }),
);

/** One node's belief: what it holds, rightly or not. A node that was ended and does not know goes on writing. */
class Worker {
  readonly store: Store;
  private session = 0;
  private held = new Map<string, { claimed: ClaimedOrder; at: Position; version: number; retries: number; cancelled: boolean }>();
  private readonly sent: { session: number; move: OrderMove }[] = [];

  constructor(store: Store) {
    this.store = store;
  }

  get sessionId(): number {
    return this.session;
  }

  async begin(): Promise<void> {
    this.session = await this.store.openSession(describeNode(), TTL_MS);
    this.held.clear();
  }

  async claim(limit: number): Promise<void> {
    for (const claimed of await this.store.claimOrders(this.session, limit)) this.hold(claimed);
  }

  async work(index: number, outcome: Outcome | 'hand back', resend: boolean): Promise<void> {
    const held = [...this.held.values()][index % Math.max(1, this.held.size)];
    if (!held) return;
    const cancels = held.cancelled && held.at.direction === 'forward';
    const meant = cancels ? ({ kind: 'cancelled' } as const) : outcome;
    const shape = { stepCount: STEP_COUNT, retry: RETRY };
    const planned =
      meant === 'hand back'
        ? handBack(held.at, held.retries)
        : nextMove(held.at, meant, shape, held.retries, held.cancelled ? 'cancelled' : 'failed');
    const { orderId, fence } = held.claimed;
    const move: OrderMove = { orderId, fence, version: held.version + 1, ...held.at, ...planned };
    this.sent.push({ session: this.session, move });
    const first = await this.send(this.session, move);
    const verdict = resend ? await this.send(this.session, move) : first;
    if (resend && first === 'applied') expect(verdict).toBe('replayed');
    this.follow(orderId, planned, verdict);
  }

  /** Something it sent in an earlier life, once more. */
  async resendLate(index: number): Promise<void> {
    const late = this.sent[index % Math.max(1, this.sent.length)];
    if (late) expect(['replayed', 'fenced', 'cancel_requested', 'applied']).toContain(await this.send(late.session, late.move));
  }

  private hold(claimed: ClaimedOrder): void {
    const { step, direction, version, retries, cancelRequested } = claimed;
    this.held.set(claimed.orderId, { claimed, at: { step, direction }, version, retries, cancelled: cancelRequested });
  }

  private async send(session: number, move: OrderMove): Promise<MoveVerdict> {
    return (await this.store.advanceOrders(session, [move]))[0] as MoveVerdict;
  }

  private follow(orderId: string, move: Move, verdict: MoveVerdict): void {
    const held = this.held.get(orderId);
    if (!held) return;
    if (verdict === 'cancel_requested') held.cancelled = true;
    else if (verdict === 'fenced' || move.closing) this.held.delete(orderId);
    else Object.assign(held, { version: held.version + 1, at: positionAfter(move.kind, held.at), retries: 0 });
  }
}

class Run {
  readonly orderIds: string[] = [];
  private readonly suite: Suite;
  private readonly workers: Worker[];

  constructor(suite: Suite) {
    this.suite = suite;
    this.workers = [new Worker(suite.store), new Worker(suite.second), new Worker(suite.store)];
  }

  async begin(): Promise<void> {
    for (const worker of this.workers) await worker.begin();
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'accept': {
        const order = newOrder();
        this.orderIds.push(order.orderId);
        await this.suite.store.acceptOrders([order]);
        return;
      }
      case 'cancel': {
        const orderId = this.orderIds[action.pick % Math.max(1, this.orderIds.length)];
        if (orderId) await this.suite.second.cancelOrder({ orderId, customerId: undefined, actor: 'op', reason: undefined });
        return;
      }
      case 'end':
        return this.end(action.node, action.reason, action.aware);
      case 'claim':
        return this.worker(action.node).claim(action.limit);
      case 'advance':
        return this.worker(action.node).work(action.pick, OUTCOMES[action.outcome] as Outcome, action.resend);
      case 'hand back':
        return this.worker(action.node).work(action.pick, 'hand back', false);
      case 'resend late':
        return this.worker(action.node).resendLate(action.pick);
    }
  }

  /** Everybody goes on until every order has ended. */
  async finish(): Promise<void> {
    for (let node = 0; node < this.workers.length; node += 1) await this.end(node, 'transfer', true);
    const worker = this.worker(0);
    for (let round = 0; round < 500 && (await this.countOpen()) > 0; round += 1) {
      await worker.claim(100);
      for (let pick = 0; pick < this.orderIds.length; pick += 1) await worker.work(pick, OUTCOMES['done'] as Outcome, false);
    }
    for (let node = 0; node < this.workers.length; node += 1) await this.suite.store.endSessions([this.worker(node).sessionId], 'left');
  }

  private worker(node: number): Worker {
    return this.workers[node] as Worker;
  }

  private async end(node: number, reason: 'expired' | 'transfer' | 'left', aware: boolean): Promise<void> {
    const worker = this.worker(node);
    if (reason === 'expired') await this.suite.underTest.expireSession(worker.sessionId);
    await this.suite.second.endSessions([worker.sessionId], reason);
    if (aware) await worker.begin();
  }

  private async countOpen(): Promise<number> {
    const records = await this.suite.store.readOrders(this.orderIds);
    return records.filter((record) => record && !isEnded(record.order.state) && record.order.state !== 'needs_attention').length;
  }
}

export function describeRandomRuns(suite: Suite): void {
  describe('random runs', () => {
    it('I1–I12: whatever three sessions do in whatever order, the histories hold', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(actions, { minLength: 20, maxLength: 60 }), async (sequence) => {
          const run = new Run(suite);
          await run.begin();
          for (const action of sequence) await run.act(action);
          const check = async (allEnded: boolean): Promise<void> => {
            const records = (await suite.store.readOrders(run.orderIds)).filter((record) => record !== undefined);
            expect(records).toHaveLength(run.orderIds.length);
            expect(findViolations(records, { stepCountOf: () => STEP_COUNT, allEnded })).toEqual([]);
          };
          await check(false);
          await run.finish();
          await check(true);
        }),
        { numRuns: 25 },
      );
    }, 120_000);
  });
}
