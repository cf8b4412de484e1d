import { Button } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
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
import { TimelinePanel } from './timeline-panel.tsx';
import { type OrderData, useOrder } from './use-order.ts';

export function OrderPage(): ReactNode {
  const { id } = useParams({ from: '/ui/orders/$id' });
  // Another order is another page: nothing of the one before stays.
  return <OneOrder key={id} id={id} />;
}

function OneOrder({ id }: { id: string }): ReactNode {
  const data = useOrder(id);
  const [retriedAs, setRetriedAs] = useState<string | undefined>();
  const { order, refresh } = data;
  const actions = order.data ? <Actions order={order.data} onRetried={setRetriedAs} onDone={refresh} /> : null;
  return (
    <Page title={`Order ${isLong(id) ? shortId(id) : id}`} actions={actions}>
      <div role="status" className={classes['announced']}>
        {retriedAs === undefined ? null : <RetriedNotice id={retriedAs} />}
      </div>
      {order.data ? <Whole data={data} /> : <NotYet id={id} data={data} />}
    </Page>
  );
}

function isLong(id: string): boolean {
  return id.length > 16;
}

function RetriedNotice({ id }: { id: string }): ReactNode {
  return (
    <div className={`panel ${classes['notice']}`}>
      The same content is under way as a new order: <OrderLink id={id} />
    </div>
  );
}

function Whole({ data: { order, events, eventsError, stream, refresh } }: { data: OrderData }): ReactNode {
  if (!order.data) return null;
  const history = events ?? [];
  return (
    <>
      <Header order={order.data} events={history} stream={stream} />
      {eventsError && !events ? <Failure error={eventsError} onRetry={() => refresh(true)} /> : null}
      {events ? <TimelinePanel order={order.data} events={events} /> : null}
      <Payload order={order.data} />
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
