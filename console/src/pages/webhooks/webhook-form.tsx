import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { ApiFailure, call, post } from '../../api/client.ts';
import { Failure } from '../../parts/states.tsx';
import classes from './webhooks.module.css';
import { webhooksQuery } from './webhooks-query.ts';
import { USUAL_EVENTS, urlFault, WEBHOOK_EVENTS } from './words.ts';

interface WebhookFormProps {
  /** The one that is changed; none: a new one. */
  webhook?: WebhookJson | undefined;
  opened: boolean;
  onClose: () => void;
  onSaved?: (webhook: WebhookJson) => void;
}

export function WebhookForm(props: WebhookFormProps): ReactNode {
  const { webhook, opened, onClose } = props;
  return (
    <Modal opened={opened} onClose={onClose} title={webhook ? 'Change the webhook' : 'New webhook'} size="lg" centered>
      <Fields {...props} />
    </Modal>
  );
}

function Fields({ webhook, onClose, onSaved }: WebhookFormProps): ReactNode {
  const [url, setUrl] = useState(webhook?.url ?? '');
  const [events, setEvents] = useState<string[]>([...(webhook?.events ?? USUAL_EVENTS)]);
  const [isTried, setTried] = useState(false);
  const save = useSave(webhook, (saved) => {
    onSaved?.(saved);
    onClose();
  });
  const fault = urlFault(url);
  const refused = refusedUrl(save.error);
  const isSound = fault === undefined && events.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (isSound) save.mutate({ url: url.trim(), events });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <TextInput
          label="Address"
          description="Gets a POST for each event; must be reachable for the gateways"
          placeholder="https://example.com/hooks/orders"
          value={url}
          type="url"
          autoComplete="off"
          data-autofocus
          error={(isTried && fault) || (save.variables?.url === url.trim() && refused)}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <Events events={events} onChange={setEvents} />
        {save.error && refused === undefined ? <Failure error={save.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" loading={save.isPending}>
            {webhook ? 'Save' : 'Make it'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function useSave(webhook: WebhookJson | undefined, onSaved: (saved: WebhookJson) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { url: string; events: string[] }) =>
      webhook ? call<WebhookJson>('PATCH', `/webhooks/${webhook.id}`, { body }) : post<WebhookJson>('/webhooks', { body }),
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: webhooksQuery.queryKey });
      onSaved(saved);
    },
  });
}

/** What the gateway knows of an address and this page does not: said at its field. */
function refusedUrl(error: unknown): string | undefined {
  if (!(error instanceof ApiFailure)) return undefined;
  const reason = error.problem.errors?.find(({ field }) => field === '/url')?.reason;
  // The one refusal that an operator can lift.
  const hint = reason?.includes('private network') ? '; a gateway started with --webhook-targets all allows it' : '';
  return reason && `It ${reason}${hint}`;
}

function Events({ events, onChange }: { events: string[]; onChange: (events: string[]) => void }): ReactNode {
  const all = WEBHOOK_EVENTS.map(({ event }) => event);
  return (
    <Checkbox.Group label="Tell of" value={events} onChange={onChange} error={events.length === 0 ? 'At least one is needed' : undefined}>
      <Group gap="xs" my={6}>
        <Button variant="default" onClick={() => onChange([...USUAL_EVENTS])}>
          Ends only
        </Button>
        <Button variant="default" onClick={() => onChange(all)}>
          All
        </Button>
      </Group>
      <div className={classes['kinds']}>
        {WEBHOOK_EVENTS.map(({ event, tells }) => (
          <Checkbox
            key={event}
            value={event}
            size="xs"
            label={
              <>
                <span className="mono">{event}</span>{' '}
                <Text span size="xs" className="faint">
                  {tells}
                </Text>
              </>
            }
          />
        ))}
      </div>
    </Checkbox.Group>
  );
}
