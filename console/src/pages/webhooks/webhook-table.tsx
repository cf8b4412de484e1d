import { Button, Group, Table } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { call } from '../../api/client.ts';
import { useIsOperator } from '../../api/session.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { Failure } from '../../parts/states.tsx';
import { Moment } from '../../parts/time.tsx';
import { Tone } from '../../parts/tone.tsx';
import { WebhookForm } from './webhook-form.tsx';
import classes from './webhooks.module.css';
import { webhooksQuery } from './webhooks-query.ts';
import { tellDisabled, tellEvents } from './words.ts';

interface WebhookTableProps {
  webhooks: readonly WebhookJson[];
  chosenId: string | undefined;
  onDeleted: () => void;
}

export function WebhookTable({ webhooks, chosenId, onDeleted }: WebhookTableProps): ReactNode {
  const isOperator = useIsOperator();
  const [asking, setAsking] = useState<{ deed?: 'change' | 'delete'; webhook?: WebhookJson }>({});
  // It keeps what it was about while it fades.
  const close = (): void => setAsking(({ webhook }) => (webhook ? { webhook } : {}));
  const columns = ['Address', 'Tells of', 'State', ...(isOperator ? ['Customer'] : []), 'Made', 'What to do'];
  return (
    <>
      <ScrollTable label="Webhooks" columns={columns}>
        {webhooks.map((webhook) => (
          <Table.Tr key={webhook.id} aria-current={webhook.id === chosenId ? 'true' : undefined} className={classes['row']}>
            <Table.Th scope="row" className={classes['address']}>
              <Link to="/ui/webhooks" search={{ webhook: webhook.id }} className="foreign" title={webhook.url} resetScroll={false}>
                {webhook.url}
              </Link>
            </Table.Th>
            <Table.Td className={classes['events']}>{tellEvents(webhook.events)}</Table.Td>
            <Table.Td className={classes['why']}>
              <State webhook={webhook} />
            </Table.Td>
            {isOperator ? <Table.Td className="foreign">{webhook.customer_id}</Table.Td> : null}
            <Table.Td className={classes['time']}>
              <Moment at={webhook.created_at} />
            </Table.Td>
            <Table.Td>
              <Deeds
                webhook={webhook}
                onChange={() => setAsking({ deed: 'change', webhook })}
                onDelete={() => setAsking({ deed: 'delete', webhook })}
              />
            </Table.Td>
          </Table.Tr>
        ))}
      </ScrollTable>
      <WebhookForm webhook={asking.webhook} opened={asking.deed === 'change'} onClose={close} />
      <DeleteDialog webhook={asking.webhook} opened={asking.deed === 'delete'} onClose={close} onDeleted={onDeleted} />
    </>
  );
}

function State({ webhook }: { webhook: WebhookJson }): ReactNode {
  if (webhook.enabled) return <Tone tone="good">On</Tone>;
  return (
    <>
      <Tone tone={webhook.disabled_because === 'by its owner' ? 'calm' : 'bad'}>Off</Tone>{' '}
      <span className="foreign faint">{tellDisabled(webhook)}</span>
    </>
  );
}

function Deeds({ webhook, onChange, onDelete }: { webhook: WebhookJson; onChange: () => void; onDelete: () => void }): ReactNode {
  const { id, url, enabled } = webhook;
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: () => call<WebhookJson>('PATCH', `/webhooks/${id}`, { body: { enabled: !enabled } }),
    onSuccess: (after) => {
      client.setQueryData(webhooksQuery.queryKey, (all) => all?.map((one) => (one.id === id ? after : one)));
      notifications.show({ message: after.enabled ? 'Enabled: what waited is sent now.' : 'Disabled: what happens from now on waits.' });
    },
  });
  return (
    <>
      <Group gap={6} wrap="nowrap">
        <Button variant="default" size="compact-sm" onClick={onChange} aria-label={`Change ${url}`}>
          Change
        </Button>
        <Button
          variant="default"
          size="compact-sm"
          loading={toggle.isPending}
          onClick={() => toggle.mutate()}
          aria-label={`${enabled ? 'Disable' : 'Enable'} ${url}`}
        >
          {enabled ? 'Disable' : 'Enable'}
        </Button>
        <Button variant="default" size="compact-sm" onClick={onDelete} aria-label={`Delete ${url}`}>
          Delete
        </Button>
      </Group>
      {toggle.error ? <Failure error={toggle.error} /> : null}
    </>
  );
}

interface DeleteDialogProps {
  webhook: WebhookJson | undefined;
  opened: boolean;
  onClose: () => void;
  onDeleted: () => void;
}

function DeleteDialog({ webhook, opened, onClose, onDeleted }: DeleteDialogProps): ReactNode {
  const client = useQueryClient();
  const remove = async (): Promise<void> => {
    await call('DELETE', `/webhooks/${webhook?.id}`);
    client.setQueryData(webhooksQuery.queryKey, (all) => all?.filter(({ id }) => id !== webhook?.id));
    notifications.show({ message: 'The webhook is deleted.' });
    onDeleted();
  };
  return (
    <Confirm opened={opened} onClose={onClose} title="Delete the webhook?" verb="Delete" isDangerous isWithoutReason onConfirm={remove}>
      Nothing is sent to <span className="foreign mono">{webhook?.url}</span> any more, not what waits for it either. Its secret and its
      deliveries are gone for good.
    </Confirm>
  );
}
