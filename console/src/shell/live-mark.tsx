import { onlineManager } from '@tanstack/react-query';
import { type ReactNode, useSyncExternalStore } from 'react';
import type { StreamState } from '../api/event-stream.ts';
import { useLiveState } from '../api/live.ts';
import { useIsOperator } from '../api/session.ts';
import { StreamMark } from '../parts/stream-mark.tsx';
import classes from './shell.module.css';

const WORDS: Record<StreamState, { label: string; says: string }> = {
  off: { label: 'Paused', says: 'Rests while the page is hidden' },
  connecting: { label: 'Connecting', says: 'Asks the gateway for events' },
  live: { label: 'Live', says: 'Events arrive as they happen' },
  lost: { label: 'Connection lost', says: 'What you see may be old; it goes on by itself as soon as the gateway answers' },
};

/** Whether what the pages show is the present. */
export function LiveMark(): ReactNode {
  const state = useLiveState();
  const isOperator = useIsOperator();
  const isOnline = useSyncExternalStore(
    (listener) => onlineManager.subscribe(listener),
    () => onlineManager.isOnline(),
  );
  const shown = isOnline ? state : 'lost';
  if (!isOperator && isOnline) return null;
  const { label, says } = WORDS[shown];
  return (
    <span className={classes['live']} title={says}>
      <StreamMark state={shown}>{label}</StreamMark>
    </span>
  );
}
