import { Button, Group, Stack, Text } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { useRegions } from '../../api/regions.ts';
import { capitalise } from '../../format.ts';
import { OrderLink } from '../../parts/order-link.tsx';
import { Page } from '../../parts/page.tsx';
import { Failure } from '../../parts/states.tsx';
import { Ago } from '../../parts/time.tsx';
import { EMPTY_DRAFT, exampleDraft } from './draft.ts';
import { Fields } from './fields.tsx';
import { MoreFields } from './more-fields.tsx';
import classes from './place.module.css';
import { Preview } from './preview.tsx';
import { type Place, usePlace } from './use-place.ts';

export function PlaceOrder(): ReactNode {
  const place = usePlace();
  const [region = 'HCM'] = useRegions();
  const { replace, placed, likeError } = place;
  const actions = (
    <>
      <Button variant="default" onClick={() => replace(exampleDraft(region))}>
        Fill in an example
      </Button>
      <Button variant="default" onClick={() => replace(EMPTY_DRAFT)}>
        Empty the form
      </Button>
    </>
  );
  return (
    <Page title="Place an order" actions={actions}>
      {likeError ? <Failure error={likeError} /> : null}
      {placed ? (
        <Text>
          <OrderLink id={placed.orderId} /> was placed <Ago at={placed.at} />. The form still holds what it had: send it for another like
          it.
        </Text>
      ) : null}
      <div className={classes['columns']}>
        <Form place={place} />
        <Preview place={place} />
      </div>
    </Page>
  );
}

function Form({ place }: { place: Place }): ReactNode {
  const form = useRef<HTMLFormElement>(null);
  const { isMoreOpen, setMoreOpen } = useMore(place);
  const submit = (): void => {
    const wrong = Object.keys(place.submit());
    if (wrong.length === 0) return;
    if (wrong.some((field) => /^\/(items|metadata|order_id)/.test(field))) setMoreOpen(true);
    // Once the messages are drawn, and what was folded is open.
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      ref={form}
      noValidate
      aria-label="The order"
      className={`panel ${classes['form']}`}
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Text className="faint">Everything is optional: an empty order is one too.</Text>
        <Fields place={place} />
        <details className={classes['more']} open={isMoreOpen} onToggle={(event) => setMoreOpen(event.currentTarget.open)}>
          <summary>More: items, metadata, an id of your own</summary>
          <MoreFields place={place} />
        </details>
        <Send place={place} />
      </Stack>
    </form>
  );
}

/** Open where it has something, or where something in it is wrong. */
function useMore(place: Place) {
  const { items, metadata, order_id } = place.draft;
  const hasContent = items.length > 0 || metadata !== '' || order_id !== '';
  const [isOpen, setMoreOpen] = useState(hasContent);
  const [hadContent, setHadContent] = useState(hasContent);
  if (hasContent !== hadContent) {
    setHadContent(hasContent);
    if (hasContent) setMoreOpen(true);
  }
  return { isMoreOpen: isOpen, setMoreOpen };
}

function Send({ place: { faults, send, isSaidAtFields } }: { place: Place }): ReactNode {
  const count = Object.keys(faults).length;
  return (
    <>
      {send.error && !isSaidAtFields ? <Failure error={send.error} /> : null}
      <Text role="status" c="var(--state-failed)" mih={0}>
        {faults['/'] ? `The order ${faults['/']}. ` : ''}
        {count > 0 ? capitalise(`${count === 1 ? 'one field needs' : `${count} fields need`} another value.`) : ''}
      </Text>
      <Group gap="sm">
        <Button type="submit" size="sm" loading={send.isPending}>
          Place the order
        </Button>
        <Text className="faint" visibleFrom="sm">
          or <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </Text>
        {send.error ? <Text className="faint">Sending it again as it is makes no second order, even if the answer was lost.</Text> : null}
      </Group>
    </>
  );
}
