import { Button, Group, NativeSelect, Stack, Table, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { memo, type ReactNode, useCallback } from 'react';
import type { DeliveryJson, DeliveryPageJson, WebhookJson } from '#gateway/api-webhooks.ts';
import { get, post } from '../../api/client.ts';
import { useNewest } from '../../api/newest.ts';
import type { NewestPage } from '../../api/newest-merge.ts';
import { formatCount } from '../../format.ts';
import { NewestList } from '../../parts/newest-list.tsx';
import { OrderLink } from '../../parts/order-link.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { Empty } from '../../parts/states.tsx';
import { Ago, Moment } from '../../parts/time.tsx';
import { Tone } from '../../parts/tone.tsx';
import classes from './webhooks.module.css';
import { explainDisabled, tellLastAnswer, tellState } from './words.ts';

const PAGE = 50;
const LOOK_EVERY_MS = 3_000;
const STATES = [
  { value: 'waiting', label: 'Waiting' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'given_up', label: 'Given up' },
];
const COLUMNS = ['Made', 'Event', 'Order', 'State', 'Tries', 'Last answer', 'Next try', 'What to do'];

/** What was sent to one webhook, what waits, and what went wrong. */
export function Deliveries({ webhook }: { webhook: WebhookJson }): ReactNode {
  const { id } = webhook;
  const read = useCallback(
    async (cursor: string | undefined, signal?: AbortSignal): Promise<NewestPage<DeliveryJson>> => {
      const path = `/webhooks/${id}/deliveries`;
      const { deliveries, ...about } = await get<DeliveryPageJson>(path, { query: { limit: PAGE, cursor }, ...(signal ? { signal } : {}) });
      return { entries: deliveries, ...about };
    },
    [id],
  );
  const list = useNewest({ key: ['deliveries', id], read, everyMs: LOOK_EVERY_MS });
  const { state = '' } = useSearch({ from: '/ui/webhooks' });
  const shown = list.entries?.filter((delivery) => state === '' || delivery.state === state) ?? [];
  const redeliver = useRedeliver(webhook);
  return (
    <section aria-labelledby="deliveries">
      <Stack gap="xs">
        <Group justify="space-between" align="flex-end">
          <Title order={2} id="deliveries" className="foreign">
            Deliveries to {webhook.url}
          </Title>
          {list.entries && list.entries.length > 0 ? <StateChoice state={state} deliveries={list.entries} webhookId={id} /> : null}
        </Group>
        {webhook.enabled ? (
          <Text className="faint">
            An answer of 2xx takes a delivery. What is not taken is tried again for three days, less and less often. An order’s events
            arrive in their order.
          </Text>
        ) : (
          <Text className="foreign" role="status">
            {explainDisabled(webhook)}
          </Text>
        )}
        <NewestList list={list} what="deliveries" empty={<NoDeliveries />}>
          {shown.length === 0 ? (
            <Text role="status">None of those that are loaded is in this state.</Text>
          ) : (
            <ScrollTable label="Deliveries" columns={COLUMNS}>
              {shown.map((delivery) => (
                <DeliveryRow key={delivery.id} delivery={delivery} isPaused={!webhook.enabled} onRedeliver={redeliver} />
              ))}
            </ScrollTable>
          )}
        </NewestList>
      </Stack>
    </section>
  );
}

function NoDeliveries(): ReactNode {
  return (
    <Empty title="Nothing was delivered yet">
      As soon as an order of this customer has one of the chosen events, it is sent and shown here.
    </Empty>
  );
}

/** Narrows what is loaded: the API has no such filter, and most want the newest. */
function StateChoice({
  state,
  deliveries,
  webhookId,
}: {
  state: string;
  deliveries: readonly DeliveryJson[];
  webhookId: string;
}): ReactNode {
  const navigate = useNavigate();
  const countOf = (value: string): string => formatCount(deliveries.filter((delivery) => delivery.state === value).length);
  return (
    <NativeSelect
      label="Show"
      value={state}
      data={[
        { value: '', label: 'All' },
        ...STATES.map(({ value, label }) => ({ value, label: `${label} (${countOf(value)} of those loaded)` })),
      ]}
      onChange={(event) =>
        void navigate({
          to: '/ui/webhooks',
          search: { webhook: webhookId, state: event.currentTarget.value },
          replace: true,
          resetScroll: false,
        })
      }
    />
  );
}

function useRedeliver({ id, enabled }: WebhookJson): (deliveryId: string) => void {
  const client = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: (deliveryId: string) => post<DeliveryJson>(`/webhooks/deliveries/${deliveryId}/redeliver`),
    onSuccess: async () => {
      notifications.show({ message: enabled ? 'It is sent again now.' : 'It is sent again as soon as the webhook is enabled.' });
      await client.invalidateQueries({ queryKey: ['deliveries', id] });
    },
    onError: (error) => notifications.show({ color: 'red', title: 'It could not be sent again', message: error.message }),
  });
  return mutate;
}

interface DeliveryRowProps {
  delivery: DeliveryJson;
  isPaused: boolean;
  onRedeliver: (deliveryId: string) => void;
}

const DeliveryRow = memo(function DeliveryRow({ delivery, isPaused, onRedeliver }: DeliveryRowProps): ReactNode {
  const { tone, state } = tellState(delivery);
  const deed = delivery.state === 'waiting' ? 'Try now' : 'Send again';
  const { id, type, attempts, last_at: lastAt, next_at: nextAt } = delivery;
  return (
    <Table.Tr>
      <Table.Td className={classes['time']}>
        <Moment at={delivery.created_at} />
      </Table.Td>
      <Table.Td className="mono">{type}</Table.Td>
      <Table.Td className={classes['time']}>
        <OrderLink id={delivery.order_id} />
      </Table.Td>
      <Table.Td>
        <Tone tone={tone}>{state}</Tone>
      </Table.Td>
      <Table.Td className="number">{attempts}</Table.Td>
      <Table.Td className={`foreign ${classes['answer']}`}>
        {lastAt ? (
          <>
            {tellLastAnswer(delivery)}, <Ago at={lastAt} />
          </>
        ) : null}
      </Table.Td>
      <Table.Td className={classes['time']}>{nextAt ? isPaused ? 'when enabled' : <Ago at={nextAt} /> : ''}</Table.Td>
      <Table.Td>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => onRedeliver(id)}
          aria-label={`${deed}: ${type} of the order ${delivery.order_id}`}
        >
          {deed}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
});
