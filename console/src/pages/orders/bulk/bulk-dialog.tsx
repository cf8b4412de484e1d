import { NumberInput, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { BulkPreviewJson, BulkViewJson } from '#gateway/api-bulk.ts';
import { post } from '../../../api/client.ts';
import { gatewayNow } from '../../../api/gateway-clock.ts';
import { formatDuration } from '../../../format.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { Failure, Loading } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { filterOf, type OrderQuery, printQuery } from '../query/query.ts';
import classes from './bulk.module.css';
import { BULK_KEY, type BulkAction, MAX_PACE, sayMatching, USUAL_PACE, VERBS } from './bulk.ts';

interface BulkDialogProps {
  action: BulkAction;
  query: OrderQuery;
  onClose: () => void;
  onStarted: (operation: BulkViewJson) => void;
}

/** Shows what an action on all that match would concern, and begins it. */
export function BulkDialog({ action, query, onClose, onStarted }: BulkDialogProps): ReactNode {
  const client = useQueryClient();
  // What is previewed is what is done: spans of time are counted back from the moment the dialog opened.
  const [filter] = useState(() => filterOf(query, gatewayNow()));
  const [pace, setPace] = useState(USUAL_PACE);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: [...BULK_KEY, 'preview', action, filter],
    queryFn: ({ signal }) => post<BulkPreviewJson>('/orders/bulk', { body: { action, filter, dry_run: true }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const start = async (reason: string | undefined): Promise<void> => {
    onStarted(await post<BulkViewJson>('/orders/bulk', { body: { action, filter, pace, ...(reason === undefined ? {} : { reason }) } }));
    void client.invalidateQueries({ queryKey: BULK_KEY, exact: true });
  };
  const { verb } = VERBS[action];
  return (
    <Confirm
      opened
      onClose={onClose}
      title={`${verb} all orders that match`}
      verb={data ? `${verb} ${sayMatching(data)}` : verb}
      isDangerous={action === 'cancel'}
      isIdle={!data || data.matching === 0}
      size="lg"
      onConfirm={start}
    >
      <Stack gap="sm">
        <Text>
          The search: <span className={`mono foreign ${classes['query']}`}>{printQuery(query)}</span>
        </Text>
        {isPending ? <Loading what="what matches" /> : null}
        {error ? <Failure error={error} onRetry={() => void refetch()} /> : null}
        {data ? <Sample preview={data} /> : null}
        <NumberInput
          label="Pace"
          description={`Orders a second${data ? `: ${sayHowLong(data, pace)}` : ''}`}
          value={pace}
          onChange={(value) => setPace(Number(value))}
          min={1}
          max={MAX_PACE}
          clampBehavior="blur"
          allowDecimal={false}
          allowNegative={false}
          maw={240}
        />
      </Stack>
    </Confirm>
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
