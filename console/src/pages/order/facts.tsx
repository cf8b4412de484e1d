import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { useIsOperator } from '../../api/session.ts';
import { formatCount, formatDuration, formatMoney } from '../../format.ts';
import { Copy } from '../../parts/copy.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { OrderLink } from '../../parts/order-link.tsx';
import { Ago, Moment } from '../../parts/time.tsx';
import { authorIn } from './event-words.ts';
import { NodeName } from './node-name.tsx';
import classes from './order.module.css';
import { type Shown, sumUp } from './timeline.ts';

interface OrderFactsProps {
  order: OrderViewJson;
  events: readonly EventJson[];
  /** Its life until now. */
  shown: readonly Shown[];
}

/** What is known of the order, in short: whose it is, where it is, how long it took, what it cost. */
export function OrderFacts({ order, events, shown }: OrderFactsProps): ReactNode {
  return (
    <div className={classes['facts']}>
      <Facts>
        <Times order={order} shown={shown} />
        <Whose order={order} accepted={events[0]} />
        <Where order={order} events={events} />
      </Facts>
    </div>
  );
}

function Times({ order, shown }: Pick<OrderFactsProps, 'order' | 'shown'>): ReactNode {
  const { start_time: accepted, complete_time: ended, execution_price: price } = order;
  const { waiting, backoff, running, undoing, stopped, held } = sumUp(shown);
  const total = (shown.at(-1)?.to ?? 0) - (shown[0]?.from ?? 0);
  return (
    <>
      <Fact name="Accepted">
        <When at={accepted} />
      </Fact>
      {ended === undefined ? null : (
        <Fact name="Ended">
          <When at={ended} />
        </Fact>
      )}
      <Fact name={ended === undefined ? 'So far' : 'Total time'}>{formatDuration(total)}</Fact>
      <Fact name="Waited for a slot">{formatDuration(waiting)}</Fact>
      <SpanFact name="Waited for retries" ms={backoff} />
      <SpanFact name="In steps" ms={running} />
      <SpanFact name="In undoing" ms={undoing} />
      <SpanFact name="Stopped" ms={stopped + held} />
      {price === undefined ? null : (
        <Fact name="Execution price">
          <strong>{formatMoney(price)}</strong>
        </Fact>
      )}
    </>
  );
}

function Whose({ order, accepted }: { order: OrderViewJson; accepted: EventJson | undefined }): ReactNode {
  const {
    customer_name: customer,
    symbol,
    quantity,
    tracking_id: tracking,
    client_order_id: clientId,
    timestamp,
    retry_of: retryOf,
  } = order;
  return (
    <>
      <TextFact name="Customer" text={customer} />
      <TextFact name="Symbol" text={symbol} />
      <Fact name="Quantity">{formatCount(quantity)}</Fact>
      <TextFact name="Tracking id" text={tracking} isKey />
      <TextFact name="Customer's order id" text={clientId} isKey />
      <TextFact name="Customer's time" text={timestamp} />
      {retryOf === undefined ? null : (
        <Fact name="Retry of">
          <OrderLink id={retryOf} />
          <Note text={authorIn(accepted?.data)} />
        </Fact>
      )}
    </>
  );
}

function Where({ order, events }: Pick<OrderFactsProps, 'order' | 'events'>): ReactNode {
  const isOperator = useIsOperator();
  const { warehouse, routed_because: because, region, node_id: node, workflow, workflow_version: version } = order;
  const nodes = node === undefined ? nodesOf(events) : [node];
  return (
    <>
      <TextFact name="Region" text={region} />
      <Fact name="Warehouse">
        {warehouse}
        <Note text={because?.message ?? ''} />
      </Fact>
      {nodes.length === 0 ? null : (
        <Fact name={nodesTitle(node, nodes)}>
          {nodes.map((id) => (
            <div key={id}>{isOperator ? <NodeLink id={id} /> : <NodeName id={id} />}</div>
          ))}
        </Fact>
      )}
      <Fact name="Workflow">
        {workflow}, version {version}
      </Fact>
    </>
  );
}

const MAX_NODES = 4;

/** The latest nodes that worked it. */
function nodesOf(events: readonly EventJson[]): string[] {
  return [...new Set(events.flatMap(({ node_id: id }) => id ?? []).reverse())].slice(0, MAX_NODES).reverse();
}

function nodesTitle(present: string | undefined, nodes: readonly string[]): string {
  if (present !== undefined) return 'Node';
  return nodes.length === 1 ? 'Worked by node' : 'Worked by nodes';
}

function NodeLink({ id }: { id: string }): ReactNode {
  return (
    <Link to="/ui/cluster" search={{ node: id }}>
      <NodeName id={id} />
    </Link>
  );
}

const LONG_CHARACTERS = 36;

/** What somebody typed, if they did; `isKey`: what others know the order by. */
function TextFact({ name, text, isKey = false }: { name: string; text: string | undefined; isKey?: boolean }): ReactNode {
  if (text === undefined) return null;
  return (
    <Fact name={name} isLong={text.length > LONG_CHARACTERS}>
      {isKey ? (
        <div className={classes['key']}>
          <span className="foreign mono">{text}</span> <Copy text={text} label={`Copy the ${name.toLowerCase()}`} />
        </div>
      ) : (
        <span className="foreign">{text}</span>
      )}
    </Fact>
  );
}

/** How long, where it was at all. */
function SpanFact({ name, ms }: { name: string; ms: number }): ReactNode {
  return ms > 0 ? <Fact name={name}>{formatDuration(ms)}</Fact> : null;
}

function When({ at }: { at: string }): ReactNode {
  return (
    <>
      <Moment at={at} />
      <span className={classes['note']}>
        <Ago at={at} />
      </span>
    </>
  );
}

function Note({ text }: { text: string }): ReactNode {
  return text === '' ? null : <span className={`foreign ${classes['note']}`}>{text}</span>;
}
