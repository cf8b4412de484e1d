import { Button } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import type { OrderViewJson } from '#gateway/api.ts';
import { ApiFailure } from '../../api/client.ts';
import { shortId } from '../../format.ts';
import { OrderLink } from '../../parts/order-link.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Actions } from './actions.tsx';
import { Header } from './header.tsx';
import { HistoryPanel } from './history-panel.tsx';
import classes from './order.module.css';
import { Payload } from './payload.tsx';
import { lifeOf } from './timeline.ts';
import { TimelinePanel } from './timeline-panel.tsx';
import { type OrderData, useOrder, useRetriedAs } from './use-order.ts';

export function OrderPage(): ReactNode {
  const { id } = useParams({ from: '/ui/orders/$id' });
  // Another order is another page: nothing of the one before stays.
  return <OneOrder key={id} id={id} />;
}

/** What stands in the address may be the mere beginning of an id. */
const SHORT_CHARACTERS = 16;

function OneOrder({ id }: { id: string }): ReactNode {
  const data = useOrder(id);
  const [retriedAs, rememberRetry] = useRetriedAs(id);
  const { order, refresh } = data;
  const actions = order.data ? <Actions order={order.data} retriedAs={retriedAs} onRetried={rememberRetry} onDone={refresh} /> : null;
  return (
    <Page title={`Order ${id.length > SHORT_CHARACTERS ? shortId(id) : id}`} actions={actions}>
      <div role="status" className={classes['announced']}>
        {retriedAs === undefined ? null : <RetriedNotice id={retriedAs} />}
      </div>
      {order.data ? <Whole order={order.data} data={data} /> : <NotYet id={id} data={data} />}
    </Page>
  );
}

function RetriedNotice({ id }: { id: string }): ReactNode {
  return (
    <div className={`panel ${classes['notice']}`}>
      Its content was placed again, as a new order: <OrderLink id={id} />
    </div>
  );
}

function Whole({ order, data: { events, eventsError, stream, refresh } }: { order: OrderViewJson; data: OrderData }): ReactNode {
  const life = useMemo(() => lifeOf(order, events ?? []), [order, events]);
  return (
    <>
      <Header order={order} events={events ?? []} segments={life.segments} stream={stream} />
      {eventsError && !events ? <Failure error={eventsError} onRetry={() => refresh(true)} /> : null}
      {events ? <TimelinePanel life={life} /> : null}
      <Payload order={order} />
      {events ? <HistoryPanel events={events} /> : null}
    </>
  );
}

function NotYet({ id, data: { order, refresh } }: { id: string; data: OrderData }): ReactNode {
  const { error } = order;
  if (!error) return <Loading what="the order" />;
  const { status, detail } = error instanceof ApiFailure ? error.problem : {};
  if (status === 404)
    return <Unknown>{detail}. Orders of other customers are not shown, and old ones are removed some time after their end.</Unknown>;
  if (status === 400) return <Unknown beginning={BEGINNING.test(id) ? id : undefined}>{detail}.</Unknown>;
  return <Failure error={error} onRetry={() => refresh(true)} />;
}

/** What may be the beginning of an id. */
const BEGINNING = /^[0-9a-f-]{4,36}$/i;

function Unknown({ beginning, children }: { beginning?: string | undefined; children: ReactNode }): ReactNode {
  const action = (
    <Button renderRoot={(props) => <Link to="/ui/orders" search={{ q: beginning }} {...props} />} variant="default" mt="xs">
      {beginning === undefined ? 'Search all orders' : `Search orders whose id begins with ${beginning}`}
    </Button>
  );
  return (
    <Empty title="No such order" action={action}>
      <span className="foreign">{children}</span>
    </Empty>
  );
}
