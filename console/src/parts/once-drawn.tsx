import { type ReactNode, startTransition, useEffect, useState } from 'react';

/** Whether what was drawn first is on the screen. */
export function useIsDrawn(): boolean {
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A frame's callbacks run before it is painted, a timer of theirs after it.
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => startTransition(() => setDrawn(true)));
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, []);
  return isDrawn;
}

/**
 * What nobody needs in the page's first moment is made when the page is drawn. In place of a button with a menu stands the button alone
 * until then; it has to note by itself that it was pressed meanwhile.
 */
export function OnceDrawn({ until, children }: { until: ReactNode; children: ReactNode }): ReactNode {
  return useIsDrawn() ? children : until;
}
