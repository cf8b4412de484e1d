import { Button, Tooltip } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ApiFailure, post } from '../../../api/client.ts';
import { countOf, shortId } from '../../../format.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import type { OrderRow } from '../rows/order-row.ts';
import classes from './bulk.module.css';
import { type BulkAction, isPossible, VERBS, whyNotThese } from './bulk.ts';

interface Outcome {
  action: BulkAction;
  done: number;
  of: number;
  refused: { id: string; because: string }[];
}

interface Asked {
  action: BulkAction;
  /** Those that it is possible with. What becomes of them meanwhile does not change what was asked. */
  orders: readonly OrderRow[];
  leftAlone: number;
}

/** What can be done with the orders that were chosen one by one. */
export function SelectionBar({ selected, clear }: { selected: readonly OrderRow[]; clear: () => void }): ReactNode {
  const [asked, setAsked] = useState<Asked>();
  const [outcome, setOutcome] = useState<Outcome>();
  const ask = (action: BulkAction): void => {
    const orders = selected.filter(({ status }) => isPossible(action, status));
    setAsked({ action, orders, leftAlone: selected.length - orders.length });
  };
  if (selected.length === 0 && !outcome && !asked) return null;
  return (
    <section className={`panel ${classes['bar']}`} aria-label="Selected orders">
      {selected.length > 0 ? (
        <>
          <strong>{selected.length} selected</strong>
          {(['cancel', 'retry'] as const).map((one) => (
            <ActionButton key={one} action={one} selected={selected} onClick={() => ask(one)} />
          ))}
          <Button variant="default" size="compact-xs" onClick={clear}>
            Select none
          </Button>
        </>
      ) : null}
      {outcome ? <Result outcome={outcome} onClose={() => setOutcome(undefined)} /> : null}
      {asked ? <Question asked={asked} onClose={() => setAsked(undefined)} tell={setOutcome} onDone={clear} /> : null}
    </section>
  );
}

interface QuestionProps {
  asked: Asked;
  onClose: () => void;
  tell: (outcome: Outcome) => void;
  onDone: () => void;
}

function Question({ asked: { action, orders, leftAlone }, onClose, tell, onDone }: QuestionProps): ReactNode {
  const verb = `${VERBS[action].verb} ${countOf(orders.length, 'order')}`;
  return (
    <Confirm
      opened
      onClose={onClose}
      title={verb}
      verb={verb}
      isDangerous={action === 'cancel'}
      onConfirm={async (reason) => {
        await actOnEach(action, orders, reason, tell);
        onDone();
      }}
    >
      {leftAlone > 0
        ? `${leftAlone} of the selected ones cannot be ${action === 'retry' ? 'retried' : 'cancelled'}, and will be left alone. `
        : ''}
      {action === 'retry' ? 'Each is placed again as a new order.' : 'What has begun is undone.'}
    </Confirm>
  );
}

function ActionButton({
  action,
  selected,
  onClick,
}: {
  action: BulkAction;
  selected: readonly OrderRow[];
  onClick: () => void;
}): ReactNode {
  const why = whyNotThese(
    action,
    selected.map(({ status }) => status),
  );
  return (
    <Tooltip label={why} disabled={why === undefined} multiline maw={300} events={{ hover: true, focus: true, touch: true }}>
      <Button
        variant="default"
        size="compact-xs"
        aria-disabled={why !== undefined}
        data-disabled={why !== undefined || undefined}
        onClick={why === undefined ? onClick : undefined}
      >
        {VERBS[action].verb} …
      </Button>
    </Tooltip>
  );
}

/** One after the other: whatever one of them answers, the next is asked. */
async function actOnEach(
  action: BulkAction,
  rows: readonly OrderRow[],
  reason: string | undefined,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  const outcome: Outcome = { action, done: 0, of: rows.length, refused: [] };
  for (const { order_id: id } of rows) {
    try {
      await post(`/orders/${id}/${action}`, { body: reason === undefined ? {} : { reason } });
      outcome.done += 1;
    } catch (error) {
      outcome.refused.push({ id, because: error instanceof ApiFailure ? error.problem.detail : String(error) });
    }
    tell({ ...outcome, refused: [...outcome.refused] });
  }
}

function Result({ outcome: { action, done, of, refused }, onClose }: { outcome: Outcome; onClose: () => void }): ReactNode {
  return (
    <>
      <span role="status" className="number">
        {done} of {of} {VERBS[action].done}
        {refused.length > 0 ? `, ${refused.length} not: ` : ''}
        {refused.slice(0, 3).map(({ id, because }) => (
          <span key={id} className="foreign">
            {shortId(id)}: {because}{' '}
          </span>
        ))}
      </span>
      <Button variant="default" size="compact-xs" onClick={onClose}>
        Put away
      </Button>
    </>
  );
}
