import type { ReactNode } from 'react';
import type { Tone as ToneName } from '../api/happenings.ts';
import classes from './tone.module.css';

/** A word with a mark that says how good it is; the word says it too. */
export function Tone({ tone, children }: { tone: ToneName; children: ReactNode }): ReactNode {
  return (
    <span className={`state ${classes['tone']}`} data-tone={tone}>
      {children}
    </span>
  );
}

/** How a warehouse is, as `GET /warehouses` and `GET /diagnostic/cluster` say it. */
export function WarehouseStatus({ status }: { status: string }): ReactNode {
  return <Tone tone={STATUSES[status]?.[0] ?? 'warn'}>{wordOfWarehouse(status)}</Tone>;
}

export function wordOfWarehouse(status: string): string {
  return STATUSES[status]?.[1] ?? status;
}

const STATUSES: Record<string, readonly [ToneName, string]> = {
  OK: ['good', 'OK'],
  no_nodes: ['warn', 'No nodes'],
  disabled: ['warn', 'Disabled'],
  unavailable: ['bad', 'Does not answer'],
};
