import { toMillionths } from '#domain/money.ts';
import { isEnded } from '#domain/order-state.ts';
import type { Closing } from '#engine/plan.ts';
import type { MoveVerdict, OrderMove } from '#engine/store.ts';
import type { MemoryDatabase, OrderRow } from './database.ts';

export function advanceOrders(db: MemoryDatabase, session: number, moves: OrderMove[]): MoveVerdict[] {
  return moves.map((move) => advance(db, session, move));
}

function advance(db: MemoryDatabase, session: number, move: OrderMove): MoveVerdict {
  const row = db.orders.get(move.orderId);
  if (!row) return 'fenced';
  const taken = db.historyOf(row.orderId).find((event) => event.version === move.version);
  if (taken) {
    const mine = taken.sessionId === session && taken.fence === move.fence && taken.kind === move.kind && taken.step === move.step;
    return mine ? 'replayed' : 'fenced';
  }
  const owned = db.writingSession(session) && row.ownerSession === session && row.fence === move.fence;
  if (!owned) return 'fenced';
  const mayWait = move.direction === 'rollback' || (move.kind !== 'completed' && move.kind !== 'retry_scheduled');
  if (row.requested && !mayWait) return 'cancel_requested';
  const { version, kind, step, direction, fence } = move;
  const data = kind === 'cancel_started' ? (db.requestedBy.get(row.orderId) ?? null) : move.data;
  db.tell(
    row,
    { version, kind, step, direction, sessionId: session, fence, data },
    move.closing ? changesOf(db, row, move, move.closing) : {},
  );
  if (kind === 'completed') count(db, move);
  return 'applied';
}

function count({ totals }: MemoryDatabase, { executionPrice }: OrderMove): void {
  totals.completed += 1;
  if (executionPrice === undefined) return;
  totals.priced += 1;
  totals.priceMillionths += toMillionths(executionPrice);
}

/** The end of the session's hold on the order. */
function changesOf(db: MemoryDatabase, row: OrderRow, move: OrderMove, closing: Closing): Partial<OrderRow> {
  const now = db.clock.now();
  return {
    state: closing.state,
    ownerSession: null,
    fence: row.fence + 1,
    version: move.version,
    step: closing.at.step,
    direction: closing.at.direction,
    retries: closing.retries,
    nextRunAt: now + closing.delayMs,
    endedAt: isEnded(closing.state) ? now : null,
  };
}
