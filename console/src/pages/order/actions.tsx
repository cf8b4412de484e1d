import { Button, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import type { OrderViewJson } from '#gateway/api.ts';
import { post } from '../../api/client.ts';
import { useIsOperator } from '../../api/session.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { copyText } from '../../parts/copy.tsx';
import { useShortcuts } from '../../shell/shortcuts.tsx';
import { type Action, curlOf, refusalOf } from './allowed.ts';

interface Offer {
  action: Action;
  verb: string;
  title: string;
  isDangerous?: boolean;
  says: (order: OrderViewJson) => string;
}

const CANCEL: Offer = {
  action: 'cancel',
  verb: 'Cancel the order',
  title: 'Cancel this order?',
  isDangerous: true,
  says: ({ status, steps }) =>
    status === 'queued' && steps.length === 0
      ? 'It has not begun: it ends at once, and nothing has to be undone.'
      : 'Its present step is stopped, and everything it has done so far is undone, step by step. This cannot be taken back.',
};
const RETRY: Offer = {
  action: 'retry',
  verb: 'Retry',
  title: 'Retry this order?',
  says: () => 'A new order with the same content begins in the same warehouse. This one stays as it is.',
};
const RELEASE: Offer = {
  action: 'release',
  verb: 'Release',
  title: 'Release this order?',
  says: ({ status }) =>
    status === 'held'
      ? 'It goes into the queue, and the next free slot takes it.'
      : 'It goes back to the queue and on where it stood. Repair what stopped it first, or it stops again.',
};

interface ActionsProps {
  order: OrderViewJson;
  retriedAs: string | undefined;
  onRetried: (id: string) => void;
  onDone: () => void;
}

/** What can be done about the order; what its state forbids says why. */
export function Actions({ order, retriedAs, onRetried, onDone }: ActionsProps): ReactNode {
  const isOperator = useIsOperator();
  const [asked, setAsked] = useState<Offer | undefined>();
  const [opened, setOpened] = useState(false);
  const ask = useCallback((offer: Offer): void => {
    setAsked(offer);
    setOpened(true);
  }, []);
  const refuse = useCallback(({ action }: Offer) => refusalOf(action, { ...order, retriedAs }), [order, retriedAs]);
  useActionShortcuts(order.order_id, refuse, ask);
  const carryOut = async ({ action }: Offer, reason: string | undefined): Promise<void> => {
    const answer = await post<OrderViewJson>(`/orders/${order.order_id}/${action}`, { body: reason === undefined ? {} : { reason } });
    if (action === 'retry') onRetried(answer.order_id);
    onDone();
  };
  const offers = isOperator ? [CANCEL, RETRY, RELEASE] : [CANCEL, RETRY];
  return (
    <>
      {offers.map((offer) => (
        <ActionButton key={offer.action} offer={offer} refusal={refuse(offer)} onAsk={ask} />
      ))}
      <CurlButton id={order.order_id} />
      <Button variant="default" renderRoot={(props) => <Link to="/ui/place" search={{ like: order.order_id }} {...props} />}>
        Another like it
      </Button>
      {asked ? (
        <Confirm
          opened={opened}
          onClose={() => setOpened(false)}
          title={asked.title}
          verb={asked.verb}
          isDangerous={asked.isDangerous}
          isIdle={refuse(asked) !== undefined}
          onConfirm={(reason) => carryOut(asked, reason)}
        >
          {refuse(asked) ?? asked.says(order)}
        </Confirm>
      ) : null}
    </>
  );
}

const SHORT_VERBS: Record<Action, string> = { cancel: 'Cancel', retry: 'Retry', release: 'Release' };

/** A button that is forbidden stays in the order of the keyboard, so that everyone can learn why. */
function ActionButton({ offer, refusal, onAsk }: { offer: Offer; refusal: string | undefined; onAsk: (offer: Offer) => void }): ReactNode {
  const button = (
    <Button
      variant="default"
      aria-disabled={refusal !== undefined}
      data-disabled={refusal !== undefined || undefined}
      onClick={() => (refusal === undefined ? onAsk(offer) : undefined)}
    >
      {SHORT_VERBS[offer.action]}
    </Button>
  );
  if (refusal === undefined) return button;
  return (
    <Tooltip label={refusal} events={{ hover: true, focus: true, touch: true }}>
      {button}
    </Tooltip>
  );
}

function CurlButton({ id }: { id: string }): ReactNode {
  return (
    <Button variant="default" onClick={() => void copy(curlOf(location.origin, id), 'The command is in the clipboard')}>
      Copy as curl
    </Button>
  );
}

async function copy(text: string, says: string): Promise<void> {
  await copyText(text);
  notifications.show({ message: says, autoClose: 2_000, withBorder: true });
}

function useActionShortcuts(id: string, refuse: (offer: Offer) => string | undefined, ask: (offer: Offer) => void): void {
  const shortcuts = useMemo(() => {
    const askOrTell = (offer: Offer) => () => {
      const refusal = refuse(offer);
      if (refusal === undefined) ask(offer);
      else notifications.show({ message: refusal, withBorder: true });
    };
    return [
      { keys: 'c', does: 'Cancel this order', run: askOrTell(CANCEL) },
      { keys: 'r', does: 'Retry this order', run: askOrTell(RETRY) },
      { keys: 'y', does: "Copy this order's id", run: () => void copy(id, 'The id is in the clipboard') },
    ];
  }, [id, refuse, ask]);
  useShortcuts(shortcuts);
}
