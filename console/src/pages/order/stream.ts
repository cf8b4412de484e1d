import { useEffect, useState } from 'react';
import { EVENT_KINDS } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';
import { EventStream, type StreamState } from '../../api/event-stream.ts';
import { isOver } from './history.ts';

const GATHER_MS = 40;

/** Follows an order's events while it is wanted and seen. A lost stream goes on after the last event that came. Keep `take` stable. */
export function useOrderStream(id: string, isWanted: boolean, take: (news: readonly EventJson[]) => void): StreamState {
  const [state, setState] = useState<StreamState>('off');
  useEffect(() => {
    if (!isWanted) return;
    const stream = new EventStream<EventJson>({
      path: `/orders/${encodeURIComponent(id)}/events`,
      kinds: EVENT_KINDS,
      everyMs: GATHER_MS,
      take,
      tell: setState,
      isLast: (event) => isOver([event]),
    });
    return () => stream.close();
  }, [id, isWanted, take]);
  return state;
}
