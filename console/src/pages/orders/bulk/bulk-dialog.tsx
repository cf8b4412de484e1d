import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { BulkPreviewJson, BulkViewJson } from '#gateway/api-bulk.ts';
import { post } from '../../../api/client.ts';
import { gatewayNow } from '../../../api/gateway-clock.ts';
import { formatDuration } from '../../../format.ts';
import { Failure, Loading } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { filterOf, type OrderFilter, type OrderQuery, printQuery } from '../query/query.ts';
import classes from './bulk.module.css';
import { BULK_KEY, type BulkAction, MAX_PACE, sayMatching, USUAL_PACE, VERBS } from './bulk.ts';

export interface BulkDialogProps {
  action: BulkAction;
  query: OrderQuery;
  onClose: () => void;
  onStarted: (operation: BulkViewJson) => void;
}

/** Shows what an action on all that match would concern, and begins it. */
export function BulkDialog({ action, query, onClose, onStarted }: BulkDialogProps): ReactNode {
  // What is previewed is what is done: spans of time are counted back from the moment the dialog opened.
  const [filter] = useState(() => filterOf(query, gatewayNow()));
  const preview = useQuery({
    queryKey: [...BULK_KEY, 'preview', action, filter],
    queryFn: ({ signal }) => post<BulkPreviewJson>('/orders/bulk', { body: { action, filter, dry_run: true }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title={`${VERBS[action].verb} all orders that match`} centered size="lg">
      <Stack gap="sm">
        <Text>
          The search: <span className={`mono foreign ${classes['query']}`}>{printQuery(query)}</span>
        </Text>
        {preview.isPending ? <Loading what="what matches" /> : null}
        {preview.error ? <Failure error={preview.error} onRetry={() => void preview.refetch()} /> : null}
        {preview.data ? <Ready action={action} filter={filter} preview={preview.data} onClose={onClose} onStarted={onStarted} /> : null}
      </Stack>
    </Modal>
  );
}

interface ReadyProps {
  action: BulkAction;
  filter: OrderFilter;
  preview: BulkPreviewJson;
  onClose: () => void;
  onStarted: (operation: BulkViewJson) => void;
}

function Ready({ action, filter, preview, onClose, onStarted }: ReadyProps): ReactNode {
  const client = useQueryClient();
  const [pace, setPace] = useState(USUAL_PACE);
  const [reason, setReason] = useState('');
  const start = useMutation({
    mutationFn: () =>
      post<BulkViewJson>('/orders/bulk', { body: { action, filter, pace, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) } }),
    onSuccess: (operation) => {
      void client.invalidateQueries({ queryKey: BULK_KEY, exact: true });
      onStarted(operation);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <Stack gap="sm">
        <Sample preview={preview} />
        <Group gap="sm" align="flex-start">
          <NumberInput
            label="Pace"
            description={`Orders a second: ${sayHowLong(preview, pace)}`}
            value={pace}
            onChange={(value) => setPace(Number(value))}
            min={1}
            max={MAX_PACE}
            clampBehavior="blur"
            allowDecimal={false}
            allowNegative={false}
          />
          <TextInput
            flex={1}
            miw={200}
            label="Reason"
            description="Kept in the audit, with your name"
            value={reason}
            maxLength={500}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
        </Group>
        {start.error ? <Failure error={start.error} /> : null}
        <Buttons action={action} preview={preview} isStarting={start.isPending} onClose={onClose} />
      </Stack>
    </form>
  );
}

interface ButtonsProps {
  action: BulkAction;
  preview: BulkPreviewJson;
  isStarting: boolean;
  onClose: () => void;
}

function Buttons({ action, preview, isStarting, onClose }: ButtonsProps): ReactNode {
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={onClose}>
        Not now
      </Button>
      <Button type="submit" color={action === 'cancel' ? 'red.9' : undefined} loading={isStarting} disabled={preview.matching === 0}>
        {VERBS[action].verb} {sayMatching(preview)}
      </Button>
    </Group>
  );
}

function sayHowLong({ matching, matching_is_lower_bound: isMore }: BulkPreviewJson, pace: number): string {
  if (!(pace >= 1)) return `1 to ${MAX_PACE}`;
  return `${isMore ? 'at least' : 'about'} ${formatDuration(Math.ceil(matching / pace) * 1_000)}`;
}

function Sample({ preview }: { preview: BulkPreviewJson }): ReactNode {
  if (preview.matching === 0) return <Text role="status">Nothing of that kind matches just now.</Text>;
  const rest = preview.matching - preview.sample.length;
  return (
    <div>
      <Text role="status">
        <strong>{sayMatching(preview)}</strong> {preview.matching === 1 ? 'matches' : 'match'}. Those that cannot be acted on any more when
        their turn comes are left alone.
        {preview.missing_warehouses ? ` ${preview.missing_warehouses.join(', ')} cannot be asked now, and is left out.` : ''}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <ul className={classes['sample']} aria-label="Some of them" tabIndex={0}>
        {preview.sample.map((order) => (
          <li key={order.order_id}>
            <span className="mono">{order.order_id}</span> <Status status={order.status} />{' '}
            <span className="foreign">{order.customer_name}</span>
          </li>
        ))}
        {rest > 0 ? <li className="faint">and others</li> : null}
      </ul>
    </div>
  );
}
