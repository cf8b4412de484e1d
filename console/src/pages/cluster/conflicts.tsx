import { Button, Switch, Table, Title } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ConflictJson, ConflictPageJson } from '#gateway/api-warehouses.ts';
import { get } from '../../api/client.ts';
import { OrderLink } from '../../parts/order-link.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { Ago } from '../../parts/time.tsx';
import classes from './cluster.module.css';
import type { AskFor } from './words.ts';

const LOOK_EVERY_MS = 10_000;
const PAGE = 50;
const COLUMNS = ['Kind', 'Warehouse', 'Key', 'Customer', 'Orders', 'Found', 'Resolved'];

/** By kind: what it means, and what a person does. */
const KINDS: Record<string, { name: string; advice: string }> = {
  both_processed: {
    name: 'Both processed',
    advice: 'Two orders of one key were carried to their ends. Look at both, undo one’s effect outside (a refund), resolve it.',
  },
  other_body: {
    name: 'Other content',
    advice: 'One key was used for two different orders while a warehouse was away. Ask the customer which it meant; cancel the other.',
  },
  not_compared: {
    name: 'Not compared',
    advice: 'The order went on although a warehouse that may have its like could not be asked. It settles itself when that one is back.',
  },
};

export interface ConflictsProps {
  /** Resolved ones too. */
  all: boolean;
  onAll: (all: boolean) => void;
  onAsk: (ask: AskFor) => void;
}

/** Keys whose orders a person has to look at after an outage. */
export function Conflicts({ all, onAll, onAsk }: ConflictsProps): ReactNode {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['conflicts', all],
    queryFn: ({ pageParam, signal }) => get<ConflictPageJson>('/conflicts', { query: { all, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor: next }) => next,
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_EVERY_MS,
  });
  const conflicts = data?.pages.flatMap((page) => page.conflicts) ?? [];
  return (
    <section className={classes['conflicts']} aria-labelledby="conflicts">
      <div className={classes['warehouseHead']}>
        <Title order={2} id="conflicts">
          Conflicts of keys
        </Title>
        <span className={classes['spring']} />
        <Switch size="xs" label="Resolved ones too" checked={all} onChange={(event) => onAll(event.currentTarget.checked)} />
      </div>
      {isPending ? <Loading what="conflicts" /> : null}
      {error ? <Failure error={error} onRetry={() => void refetch()} /> : null}
      {data && conflicts.length === 0 ? (
        <p className="faint">
          {all ? 'There never were any.' : 'None to look at.'} They arise when a warehouse was away while orders came in under its keys.
        </p>
      ) : null}
      {conflicts.length > 0 ? <ConflictTable conflicts={conflicts} onAsk={onAsk} /> : null}
      {hasNextPage ? (
        <Button variant="default" className={classes['more']} loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more
        </Button>
      ) : null}
    </section>
  );
}

function ConflictTable({ conflicts, onAsk }: { conflicts: readonly ConflictJson[]; onAsk: (ask: AskFor) => void }): ReactNode {
  return (
    <ScrollTable label="Table of conflicts" columns={COLUMNS}>
      {conflicts.map((conflict) => (
        <ConflictRow key={conflict.id} conflict={conflict} onAsk={onAsk} />
      ))}
    </ScrollTable>
  );
}

function ConflictRow({ conflict, onAsk }: { conflict: ConflictJson; onAsk: (ask: AskFor) => void }): ReactNode {
  const { id, kind, warehouse, key, customer_id: customer, order_id: order, other_order_id: other, found_at: foundAt, missing } = conflict;
  const known = KINDS[kind];
  return (
    <Table.Tr data-conflict={id}>
      <Table.Th scope="row" className={classes['kind']}>
        {known?.name ?? kind}
        <p className={`faint ${classes['advice']}`}>
          {known?.advice}
          {missing ? ` Not asked: ${missing.join(', ')}.` : ''}
        </p>
      </Table.Th>
      <Table.Td>{warehouse}</Table.Td>
      <Table.Td miw={140} maw={220}>
        {key ? (
          <>
            <span className="faint">{key.kind}</span> <span className="foreign mono">{key.key}</span>
          </>
        ) : (
          '–'
        )}
      </Table.Td>
      <Table.Td className="foreign" maw={160}>
        {customer}
      </Table.Td>
      <Table.Td>
        <OrderLink id={order} />
        {other ? (
          <>
            <br />
            <OrderLink id={other} />
          </>
        ) : null}
      </Table.Td>
      <Table.Td>
        <Ago at={foundAt} />
      </Table.Td>
      <Table.Td>
        <Resolution conflict={conflict} onAsk={onAsk} />
      </Table.Td>
    </Table.Tr>
  );
}

function Resolution({ conflict, onAsk }: { conflict: ConflictJson; onAsk: (ask: AskFor) => void }): ReactNode {
  const { id, resolved_at: resolvedAt, resolved_by: by, resolution, order_id: order } = conflict;
  if (!resolvedAt)
    return (
      <Button
        variant="default"
        onClick={() => onAsk({ does: 'resolve', conflict: id })}
        aria-label={`Resolve the conflict of order ${order}`}
      >
        Resolve …
      </Button>
    );
  return (
    <>
      <Ago at={resolvedAt} />
      {by ? <span className="foreign"> by {by}</span> : null}
      {resolution ? <p className={`foreign ${classes['advice']}`}>{resolution}</p> : null}
    </>
  );
}
