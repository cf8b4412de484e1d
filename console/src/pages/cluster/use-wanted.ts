import { type RefObject, useEffect, useRef } from 'react';

/** For what the URL asks for: brought into view and focused once, when it is there. */
export function useWanted<Shown extends HTMLElement>(isWanted: boolean): RefObject<Shown | null> {
  const shown = useRef<Shown>(null);
  useEffect(() => {
    if (!isWanted) return;
    shown.current?.scrollIntoView({ block: 'center' });
    shown.current?.focus({ preventScroll: true });
  }, [isWanted]);
  return shown;
}
