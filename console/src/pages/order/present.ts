import { useReducedMotion } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { gatewayNow } from '../../api/gateway-clock.ts';

const CALM_MS = 1_000;

/** The present, so often that what grows with it grows smoothly; the browser draws nothing, and asks nothing, while nobody sees it. */
export function usePresent(isRunning: boolean, everyMs: number): number {
  const [now, setNow] = useState(gatewayNow);
  const interval = useReducedMotion() ? CALM_MS : everyMs;
  useEffect(() => {
    if (!isRunning) return;
    setNow(gatewayNow());
    let lastAt = 0;
    const draw = (at: number): void => {
      if (at - lastAt >= interval) {
        lastAt = at;
        setNow(gatewayNow());
      }
      frame = requestAnimationFrame(draw);
    };
    let frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [isRunning, interval]);
  return now;
}
