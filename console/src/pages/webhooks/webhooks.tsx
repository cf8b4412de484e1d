import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type ReactNode, useRef, useState } from 'react';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { useSession } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Deliveries } from './deliveries.tsx';
import { NewSecret } from './new-secret.tsx';
import { WebhookForm } from './webhook-form.tsx';
import { WebhookTable } from './webhook-table.tsx';
import { webhooksQuery } from './webhooks-query.ts';

const LOOK_EVERY_MS = 5_000;
/** A dialog that closes gives the focus back to what opened it; where that is gone, it is given after that. */
const FOCUS_AFTER_MS = 100;

/** Where customers are told of their orders, and what became of each telling. */
export function Webhooks(): ReactNode {
  const { data, error, refetch } = useQuery({ ...webhooksQuery, refetchInterval: LOOK_EVERY_MS });
  const { name, role } = useSession();
  const [isAdding, setAdding] = useState(false);
  const [created, setCreated] = useState<WebhookJson>();
  const addButton = useRef<HTMLButtonElement>(null);
  const focusAdd = (): void => void setTimeout(() => addButton.current?.focus(), FOCUS_AFTER_MS);
  const add = (
    <Button ref={addButton} onClick={() => setAdding(true)}>
      New webhook
    </Button>
  );
  const keepSecret = (): void => {
    setCreated(undefined);
    focusAdd();
  };
  return (
    <Page title="Webhooks" actions={add}>
      <Text className="faint">
        {role === 'operator'
          ? `Those of all customers. One that you make tells of the orders that ${name} placed.`
          : 'You are told of your orders by signed requests to an address of yours.'}
      </Text>
      {error ? <Failure error={error} onRetry={() => void refetch()} /> : null}
      {data ? <Shown webhooks={data} onAdd={() => setAdding(true)} onDeleted={focusAdd} /> : error ? null : <Loading what="webhooks" />}
      <WebhookForm opened={isAdding} onClose={() => setAdding(false)} onSaved={setCreated} />
      <NewSecret webhook={created} onClose={keepSecret} />
    </Page>
  );
}

interface ShownProps {
  webhooks: readonly WebhookJson[];
  onAdd: () => void;
  onDeleted: () => void;
}

function Shown({ webhooks, onAdd, onDeleted }: ShownProps): ReactNode {
  const { webhook: chosenId = webhooks[0]?.id } = useSearch({ from: '/ui/webhooks' });
  const chosen = webhooks.find(({ id }) => id === chosenId);
  if (webhooks.length === 0) {
    return (
      <Empty title="No webhooks yet" action={<Button onClick={onAdd}>Make the first</Button>}>
        With one, an address of your choice gets a signed request whenever an order ends, or at any other of its events.
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <WebhookTable webhooks={webhooks} chosenId={chosenId} onDeleted={onDeleted} />
      {chosen ? (
        <Deliveries key={chosen.id} webhook={chosen} />
      ) : (
        <Text role="status">The webhook that was chosen does not exist any more. Choose another by its address.</Text>
      )}
    </Stack>
  );
}
