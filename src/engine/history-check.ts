import type { OrderEvent, OrderRecord } from '#domain/order.ts';
import { isAllowed, isEnded, isTerminal, type OrderState, type Position, positionAfter, TRANSITIONS } from '#domain/order-state.ts';

/** A breach of the protocol, by the number it has in lease.ts. */
export interface Violation {
  invariant: string;
  orderId: string;
  message: string;
}

export interface CheckOptions {
  stepCountOf: (workflow: string, version: number) => number;
  /** The run is over: every accepted order must have ended or be stopped for a person (I1). */
  allEnded: boolean;
}

const HANDED: ReadonlySet<string> = new Set(['handed_over', 'handed_back', 'retry_scheduled']);

/** Reads complete histories and finds every breach of the invariants that a history can show. */
export function findViolations(records: readonly OrderRecord[], options: CheckOptions): Violation[] {
  const ofEach = records.flatMap((record) => {
    const check = new HistoryCheck(record, options.stepCountOf(record.order.workflow, record.order.workflowVersion));
    return check.run(options.allEnded);
  });
  return [...ofEach, ...findLateEvents(records)];
}

/** I6 over all histories: a `handed_over` is the session's end, and nothing that it wrote has a later moment. */
function findLateEvents(records: readonly OrderRecord[]): Violation[] {
  const events = records.flatMap((record) => record.events);
  const endedAt = new Map<number, number>();
  for (const { kind, sessionId, at } of events) {
    if (kind === 'handed_over' && sessionId !== null) endedAt.set(sessionId, Math.max(at, endedAt.get(sessionId) ?? at));
  }
  return events
    .filter(({ kind, sessionId, at }) => kind !== 'handed_over' && sessionId !== null && at > (endedAt.get(sessionId) ?? at))
    .map(({ orderId, kind, sessionId }) => ({ invariant: 'I6', orderId, message: `${kind} of session ${sessionId} after its end` }));
}

/** Walks one order's history as the state machine would, and says where it differs. */
class HistoryCheck {
  private readonly record: OrderRecord;
  private readonly stepCount: number;
  private readonly found: Violation[] = [];
  private state: OrderState = 'queued';
  private at: Position = { step: 1, direction: 'forward' };
  private owner: { session: number; fence: number } | undefined;
  private fence = 0;
  private completed = 0;

  constructor(record: OrderRecord, stepCount: number) {
    this.record = record;
    this.stepCount = stepCount;
  }

  run(allEnded: boolean): Violation[] {
    const { order, events } = this.record;
    for (const [index, event] of events.entries()) this.read(event, index + 1);
    const terminals = events.filter((event) => isTerminal(event.kind)).length;
    if (terminals > 1) this.report('I12', `${terminals} terminal events`);
    if (isEnded(order.state) !== (terminals === 1)) this.report('I12', `the row says ${order.state} with ${terminals} terminal events`);
    if (order.state !== this.state) this.report('I12', `the row says ${order.state}, the history ${this.state}`);
    if (order.fence < this.fence) this.report('I5', `the row's fence ${order.fence} is below ${this.fence}`);
    if (allEnded && !isEnded(order.state) && order.state !== 'needs_attention')
      this.report('I1', `it was accepted and is still ${order.state}`);
    return this.found;
  }

  private read(event: OrderEvent, expectedVersion: number): void {
    if (event.version !== expectedVersion) this.report('I4', `version ${event.version} stands where ${expectedVersion} is expected`);
    if (event.fence < this.fence) this.report('I5', `${event.kind} has fence ${event.fence} after ${this.fence}`);
    this.fence = Math.max(this.fence, event.fence);
    if (event.kind === 'accepted') {
      if (expectedVersion !== 1) this.report('I1', 'it was accepted twice');
      return;
    }
    if (expectedVersion === 1) this.report('I1', `its history begins with ${event.kind}`);
    if (isEnded(this.state)) this.report('I12', `${event.kind} after the end`);
    if (!isAllowed(event.kind, this.state, this.at.direction)) {
      const between = this.owner === undefined && TRANSITIONS[event.kind].from.includes('running');
      this.report(between ? 'I8' : 'I3', `${event.kind} is not possible while it is ${this.state} ${this.at.direction}`);
    }
    this.checkPosition(event);
    if (event.kind === 'claimed') this.claim(event);
    else this.checkOwner(event);
    this.move(event);
  }

  private claim(event: OrderEvent): void {
    if (this.owner) this.report('I3', `session ${event.sessionId} claimed it while session ${this.owner.session} had it`);
    if (event.sessionId === null) this.report('I7', 'a claim names no session');
    this.owner = { session: event.sessionId ?? 0, fence: event.fence };
  }

  /** Events of an owner carry the session and fence of the latest claim; a hand-over by others has the next fence. */
  private checkOwner(event: OrderEvent): void {
    const fromOutside =
      event.sessionId === null && (event.kind === 'cancelled' || event.kind === 'cancel_started' || event.kind === 'released');
    if (fromOutside) return;
    const grown = event.kind === 'handed_over' || event.kind === 'handed_back' ? 1 : 0;
    if (!this.owner) {
      this.report('I8', `${event.kind} of session ${event.sessionId} between two claims`);
    } else if (event.sessionId !== this.owner.session) {
      this.report('I7', `${event.kind} of session ${event.sessionId}, claimed by ${this.owner.session}`);
    } else if (event.fence !== this.owner.fence && event.fence !== this.owner.fence + grown) {
      this.report('I7', `${event.kind} with fence ${event.fence}, claimed with ${this.owner.fence}`);
    }
  }

  private checkPosition(event: OrderEvent): void {
    const { step, direction } = this.at;
    if (event.step === step && event.direction === direction) return;
    const invariant = event.direction === 'rollback' || direction === 'rollback' ? 'I11' : 'I9';
    this.report(invariant, `${event.kind} tells of step ${event.step} ${event.direction}; step ${step} ${direction} is expected`);
  }

  private move(event: OrderEvent): void {
    if (event.kind === 'step_completed' || event.kind === 'completed') {
      this.completed += 1;
      if (event.step !== this.completed) this.report('I9', `step ${event.step} is the ${this.completed}. to complete`);
    }
    if (event.kind === 'completed' && this.completed !== this.stepCount)
      this.report('I10', `completed with ${this.completed} of ${this.stepCount} steps`);
    if (event.kind === 'failed' && event.step !== 1) this.report('I11', `the rollback ended at step ${event.step}`);
    const { to } = TRANSITIONS[event.kind];
    if (to !== 'same') this.state = to;
    this.at = positionAfter(event.kind, event);
    if (HANDED.has(event.kind) || isTerminal(event.kind) || event.kind === 'attention_needed') this.owner = undefined;
  }

  private report(invariant: string, message: string): void {
    this.found.push({ invariant, orderId: this.record.order.orderId, message });
  }
}
