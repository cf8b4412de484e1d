import type { Because, OrderRecord } from '#domain/order.ts';
import { formatTime } from '#domain/time.ts';
import type { ClusterReport, SessionReport } from '#engine/store.ts';

/** The order's warehouse as of a moment ago. */
export interface WaitingPlace {
  /** `undefined`: nobody knows. */
  nodes: ClusterReport | undefined;
  /** Whether orders with keys may be claimed. */
  gateOpen: boolean;
}

/**
 * Why nothing works the order just now; `undefined` for one that runs or has ended. Pure.
 * @param stepName the name of its present step
 */
export function explainWaiting(record: OrderRecord, stepName: string, place?: WaitingPlace): Because | undefined {
  const nodes = place?.nodes;
  const { order, events } = record;
  const last = events.at(-1);
  switch (order.state) {
    case 'held':
      return { code: 'held', message: 'it is kept for later use; an operator releases it' };
    case 'needs_attention':
      return explainStop(last?.data, stepName);
    case 'queued':
      break;
    default:
      return undefined;
  }
  if (place && !place.gateOpen && order.keyed) {
    const message = 'its warehouse was away: until its key was compared with what ran elsewhere meanwhile, no slot takes it';
    return { code: 'gate', message };
  }
  if (last?.kind === 'retry_scheduled' && order.nextRunAt > last.at) {
    const waits = explainRetry(record, stepName);
    // Once it is due, what keeps it is the same as for all others.
    if (!nodes || order.nextRunAt > Math.max(...nodes.sessions.map(({ lastBeatAt }) => lastBeatAt), last.at)) return waits;
  }
  return (nodes && explainNodes(record, nodes.sessions)) ?? explainHistory(record, stepName);
}

function explainStop(data: unknown, stepName: string): Because {
  const { error } = (data ?? {}) as { error?: { code?: string; message?: string } };
  if (error?.code === 'quarantined') return { code: 'quarantined', message: error.message ?? 'it killed the processes that worked it' };
  return {
    code: 'undo_failed',
    message: `the undo of ${stepName} cannot succeed: ${error?.message ?? 'no reason is known'}; a person must look`,
  };
}

function explainRetry({ order, events }: OrderRecord, stepName: string): Because {
  const { retry, retries, error } = (events.at(-1)?.data ?? {}) as { retry?: number; retries?: number; error?: { message?: string } };
  const what = `${order.direction === 'rollback' ? 'the undo of ' : ''}${stepName}`;
  const message = `${what} is tried again (retry ${retry} of ${retries}) after: ${error?.message}`;
  return { code: 'retry_at', message, until: formatTime(order.nextRunAt) };
}

/** What the nodes lack; nothing where one of them could take the order now. */
function explainNodes({ order }: OrderRecord, sessions: readonly SessionReport[]): Because | undefined {
  const live = sessions.filter(({ state, leaseMs }) => state === 'live' && leaseMs > 0);
  if (live.length === 0) return { code: 'no_node', message: 'its warehouse has no node that takes orders' };
  const able = live.filter(({ workflows }) =>
    workflows.some(({ name, version }) => name === order.workflow && version === order.workflowVersion),
  );
  if (able.length === 0) {
    const message = `none of the ${live.length} nodes knows version ${order.workflowVersion} of its workflow ${order.workflow}`;
    return { code: 'unknown_workflow_version', message };
  }
  const slots = able.reduce((sum, session) => sum + session.slots, 0);
  if (able.every(({ slots: all, busy }) => busy >= all))
    return { code: 'no_free_slot', message: `all ${slots} slots of ${able.length} node${able.length > 1 ? 's' : ''} are busy` };
  return undefined;
}

function explainHistory({ events }: OrderRecord, stepName: string): Because {
  switch (events.at(-1)?.kind) {
    case 'handed_over':
      return { code: 'handed_over', message: `the node that had it is gone; the next free slot goes on at ${stepName}` };
    case 'handed_back':
      return { code: 'handed_back', message: `its node left in good order; the next free slot goes on at ${stepName}` };
    case 'cancel_started':
      return { code: 'cancelling', message: `it was cancelled; the next free slot undoes ${stepName}` };
    case 'released':
      return { code: 'released', message: `a person gave it back to the queue; the next free slot goes on at ${stepName}` };
    case 'retry_scheduled':
      return { code: 'retry_due', message: `its wait for a retry is over; the next free slot goes on at ${stepName}` };
    default:
      return { code: 'not_started', message: 'no slot has taken it yet' };
  }
}
