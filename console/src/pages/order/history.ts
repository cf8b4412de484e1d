import { type EventKind, isTerminal } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';

/** One history from two looks at it, oldest first; of the same event the look that knows its node wins. Pure. */
export function mergeEvents(before: readonly EventJson[], news: readonly EventJson[]): EventJson[] {
  const byVersion = new Map(before.map((event) => [event.version, event]));
  for (const event of news) {
    const known = byVersion.get(event.version);
    if (!known?.node_id) byVersion.set(event.version, event);
  }
  return [...byVersion.values()].sort((a, b) => a.version - b.version);
}

/** Whether the history is complete: nothing comes after a terminal event. */
export function isOver(events: readonly EventJson[]): boolean {
  const last = events.at(-1);
  return last !== undefined && isTerminal(last.kind as EventKind);
}

/** A stream names the nodes that were known when it began; what a later one wrote has only its session. */
export function lacksNode({ session, node_id: nodeId }: EventJson): boolean {
  return session !== undefined && nodeId === undefined;
}
