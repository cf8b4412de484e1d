import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { type LiveEvent, liveFeed } from './live.ts';

/**
 * Asks for a query again when events arrive that concern it, at most once per `everyMs`, and at once after a gap. `key` and
 * `concerns` should be stable.
 */
export function useLiveRefresh(key: QueryKey, everyMs: number, concerns: (event: LiveEvent) => boolean = isAny): void {
  const client = useQueryClient();
  const text = JSON.stringify(key);
  const refresh = useMemo(() => {
    const queryKey = JSON.parse(text) as QueryKey;
    return () => client.invalidateQueries({ queryKey });
  }, [client, text]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let lastAt = 0;
    let isAsking = false;
    let isDueAgain = false;
    const ask = async (): Promise<void> => {
      timer = undefined;
      lastAt = Date.now();
      isAsking = true;
      await refresh().finally(() => {
        isAsking = false;
      });
      if (isDueAgain) soon();
    };
    // An answer under way is waited for: asking anew would throw it away, and slow answers would never be shown.
    const soon = (): void => {
      isDueAgain = isAsking;
      if (!isAsking) timer ??= setTimeout(() => void ask(), Math.max(0, lastAt + everyMs - Date.now()));
    };
    const stopEvents = liveFeed.onEvents((events) => {
      if (events.some(concerns)) soon();
    });
    const stopGaps = liveFeed.onGap(soon);
    return () => {
      isDueAgain = false;
      clearTimeout(timer);
      stopEvents();
      stopGaps();
    };
  }, [refresh, everyMs, concerns]);
}

function isAny(): boolean {
  return true;
}
