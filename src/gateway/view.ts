import { priceOfHistory } from '#domain/execution-price.ts';
import type { Order, OrderEvent, OrderRecord } from '#domain/order.ts';
import { isEnded, type OrderState, publicStatus } from '#domain/order-state.ts';
import { formatTime } from '#domain/time.ts';
import { standingOf } from '#engine/history.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { EventJson, OrderSummaryJson, OrderViewJson } from './api.ts';
import { explainWaiting, type WaitingPlace } from './waiting.ts';
import { explainRouting } from './warehouses/routing.ts';

type StepJson = OrderViewJson['steps'][number];

const TERMINAL_STEP: Partial<Record<OrderState, string>> = { completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' };

/** How orders look from outside. Pure: a record in, JSON out. */
export class OrderPresenter {
  private readonly registry: WorkflowRegistry;

  constructor(registry: WorkflowRegistry) {
    this.registry = registry;
  }

  stepName(order: Pick<Order, 'workflow' | 'workflowVersion'>, step: number): string {
    return this.registry.find(order.workflow, order.workflowVersion)?.steps[step - 1]?.name ?? `Step ${step}`;
  }

  /** `place`: what is known of the warehouse just now; an order that waits says why by it. */
  order(record: OrderRecord, warehouse: string, place?: WaitingPlace): OrderViewJson {
    return { ...this.summary(record, warehouse, place), steps: this.steps(record) };
  }

  summary(record: OrderRecord, warehouse: string, place?: WaitingPlace): OrderSummaryJson {
    const { order, events, nodes } = record;
    const { order_id: clientOrderId, quantity, ...content } = order.content;
    const at = standingOf(order, events);
    const nodeId = order.ownerSession === null ? undefined : nodes.get(order.ownerSession)?.nodeId;
    const price = priceOfHistory(events);
    return {
      order_id: order.orderId,
      ...(clientOrderId === undefined ? {} : { client_order_id: clientOrderId }),
      status: publicStatus(order.state, at.direction),
      current_step: TERMINAL_STEP[order.state] ?? this.stepName(order, at.step),
      start_time: formatTime(order.acceptedAt),
      ...(order.endedAt === null ? {} : { complete_time: formatTime(order.endedAt) }),
      warehouse,
      workflow: order.workflow,
      workflow_version: order.workflowVersion,
      quantity: quantity ?? 1,
      ...content,
      ...(nodeId === undefined ? {} : { node_id: nodeId }),
      ...(order.retryOf ? { retry_of: order.retryOf } : {}),
      ...(price === undefined ? {} : { execution_price: price }),
      routed_because: explainRouting(order, warehouse),
      ...this.waiting(record, place),
    };
  }

  event(record: OrderRecord, event: OrderEvent): EventJson {
    const nodeId = event.sessionId === null ? undefined : record.nodes.get(event.sessionId)?.nodeId;
    return {
      version: event.version,
      kind: event.kind,
      step_name: this.stepName(record.order, event.step),
      direction: event.direction,
      at: formatTime(event.at),
      ...(nodeId === undefined ? {} : { node_id: nodeId }),
      ...(event.sessionId === null ? {} : { session: event.sessionId }),
      fence: event.fence,
      ...(event.data === null ? {} : { data: event.data }),
    };
  }

  private waiting(record: OrderRecord, place: WaitingPlace | undefined): Pick<OrderSummaryJson, 'waiting_because'> {
    const because = explainWaiting(record, this.stepName(record.order, record.order.step), place);
    return because ? { waiting_because: because } : {};
  }

  private steps({ order, events, nodes }: OrderRecord): StepJson[] {
    const story = new StepStory(
      (step) => this.stepName(order, step),
      (session) => nodes.get(session)?.nodeId,
    );
    for (const event of events) story.tell(event);
    const terminal = TERMINAL_STEP[order.state];
    if (terminal === undefined || !isEnded(order.state) || order.endedAt === null) return story.steps;
    const at = formatTime(events.at(-1)?.at ?? order.endedAt);
    return [...story.steps, { step_name: terminal, step_start_time: at, step_complete_time: at }];
  }
}

/**
 * Folds a history into the steps as a customer sees them: one entry per step that began, its times those of its latest
 * attempt. One event is the end of a step and the begin of the next; a terminal event also ends the step it tells of.
 */
class StepStory {
  private readonly entries = new Map<number, StepJson>();
  private readonly nameOf: (step: number) => string;
  private readonly nodeOf: (session: number) => string | undefined;
  /** A step that began only because the one before ended, in the event just told. */
  private justArrived: number | undefined;

  constructor(nameOf: (step: number) => string, nodeOf: (session: number) => string | undefined) {
    this.nameOf = nameOf;
    this.nodeOf = nodeOf;
  }

  get steps(): StepJson[] {
    return [...this.entries].sort(([a], [b]) => a - b).map(([, entry]) => entry);
  }

  tell(event: OrderEvent): void {
    const arrived = this.justArrived;
    this.justArrived = undefined;
    const entry = this.entries.get(event.step);
    const at = formatTime(event.at);
    switch (event.kind) {
      case 'claimed':
        if (event.direction === 'forward') this.begin(event.step, event);
        break;
      case 'step_completed':
        this.complete(entry, at);
        this.begin(event.step + 1, event);
        this.justArrived = event.step + 1;
        break;
      case 'completed':
        this.complete(entry, at);
        break;
      case 'handed_back':
        // Its node was leaving: the step that had just become the present one never began there.
        if (arrived === event.step) this.entries.delete(event.step);
        break;
      case 'step_failed':
      case 'retry_scheduled':
        if (entry && event.direction === 'forward') Object.assign(entry, errorOf(event));
        break;
      case 'step_undone':
      case 'failed':
      case 'cancelled':
        if (entry) entry.rollback_time = at;
        break;
      default:
        break;
    }
  }

  private begin(step: number, event: OrderEvent): void {
    const nodeId = event.sessionId === null ? undefined : this.nodeOf(event.sessionId);
    this.entries.set(step, {
      step_name: this.nameOf(step),
      step_start_time: formatTime(event.at),
      attempt: (this.entries.get(step)?.attempt ?? 0) + 1,
      ...(nodeId === undefined ? {} : { node_id: nodeId }),
    });
  }

  private complete(entry: StepJson | undefined, at: string): void {
    if (entry) entry.step_complete_time = at;
  }
}

function errorOf(event: OrderEvent): Pick<StepJson, 'error'> {
  const { error } = (event.data ?? {}) as { error?: { code: string; message: string } };
  return error ? { error: { code: error.code, message: error.message } } : {};
}
