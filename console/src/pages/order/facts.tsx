import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { useIsOperator } from '../../api/session.ts';
import { formatCount, formatDuration, formatMoney } from '../../format.ts';
import { Copy } from '../../parts/copy.tsx';
import { OrderLink } from '../../parts/order-link.tsx';
import { Ago, Moment } from '../../parts/time.tsx';
import { authorIn } from './event-words.ts';
import { NodeName } from './node-name.tsx';
import classes from './order.module.css';
import { type Shown, sumUp } from './timeline.ts';

interface FactsProps {
  order: OrderViewJson;
  events: readonly EventJson[];
  /** Its life until now. */
  shown: readonly Shown[];
}

type Fact = readonly [name: string, value: ReactNode, text?: string];

const LONG_CHARACTERS = 36;

/** What is known of the order, in short: whose it is, where it is, how long it took, what it cost. */
export function Facts({ order, events, shown }: FactsProps): ReactNode {
  const facts = [...timesOf(order, shown), ...whoseOf(order, events), ...useWhere(order, events)];
  return (
    <dl className={classes['facts']}>
      {facts.map(([name, value, text = '']) => (
        <div key={name} className={classes['fact']} data-long={text.length > LONG_CHARACTERS || undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function useWhere(order: OrderViewJson, events: readonly EventJson[]): Fact[] {
  const isOperator = useIsOperator();
  const { warehouse, routed_because: because, region, node_id: node, workflow, workflow_version: version } = order;
  const nodes = node === undefined ? nodesOf(events) : [node];
  const named = nodes.map((id) => <div key={id}>{isOperator ? <NodeLink id={id} /> : <NodeName id={id} />}</div>);
  const route = (
    <Fragment>
      {warehouse}
      {because ? <span className={`foreign ${classes['note']}`}>{because.message}</span> : null}
    </Fragment>
  );
  return [
    ...(region === undefined ? [] : [['Region', <Foreign key="region" text={region} />, region] as const]),
    ['Warehouse', route],
    ...(nodes.length === 0 ? [] : [[nodesTitle(node, nodes), named] as const]),
    ['Workflow', `${workflow}, version ${version}`],
  ];
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

function whoseOf(order: OrderViewJson, [accepted]: readonly EventJson[]): Fact[] {
  const {
    customer_name: customer,
    symbol,
    quantity,
    tracking_id: tracking,
    client_order_id: clientId,
    timestamp,
    retry_of: retryOf,
  } = order;
  return [
    ...(customer === undefined ? [] : [['Customer', <Foreign key="customer" text={customer} />, customer] as const]),
    ...(symbol === undefined ? [] : [['Symbol', <Foreign key="symbol" text={symbol} />, symbol] as const]),
    ['Quantity', formatCount(quantity)],
    ...(tracking === undefined
      ? []
      : [['Tracking id', <Key key="tracking" text={tracking} label="Copy the tracking id" />, tracking] as const]),
    ...(clientId === undefined
      ? []
      : [["Customer's order id", <Key key="client" text={clientId} label="Copy the customer's order id" />, clientId] as const]),
    ...(timestamp === undefined ? [] : [["Customer's time", <Foreign key="timestamp" text={timestamp} />, timestamp] as const]),
    ...(retryOf === undefined ? [] : [['Retry of', <Retried key="retry" id={retryOf} author={authorIn(accepted?.data)} />] as const]),
  ];
}

function Foreign({ text }: { text: string }): ReactNode {
  return <span className="foreign">{text}</span>;
}

function Key({ text, label }: { text: string; label: string }): ReactNode {
  return (
    <div className={classes['key']}>
      <span className="foreign mono">{text}</span> <Copy text={text} label={label} />
    </div>
  );
}

function Retried({ id, author }: { id: string; author: string }): ReactNode {
  return (
    <Fragment>
      <OrderLink id={id} />
      {author === '' ? null : <span className={`foreign ${classes['note']}`}>{author}</span>}
    </Fragment>
  );
}

function timesOf(order: OrderViewJson, shown: readonly Shown[]): Fact[] {
  const { start_time: accepted, complete_time: ended, execution_price: price } = order;
  const sums = sumUp(shown);
  const total = (shown.at(-1)?.to ?? 0) - (shown[0]?.from ?? 0);
  const span = (name: string, ms: number): Fact[] => (ms > 0 ? [[name, <Span key={name} ms={ms} />]] : []);
  return [
    ['Accepted', <When key="accepted" at={accepted} />],
    ...(ended === undefined ? [] : [['Ended', <When key="ended" at={ended} />] as const]),
    [ended === undefined ? 'So far' : 'Total time', <Span key="total" ms={total} />],
    ['Waited for a slot', <Span key="waited" ms={sums.waiting} />],
    ...span('Waited for retries', sums.backoff),
    ...span('In steps', sums.running),
    ...span('In undoing', sums.undoing),
    ...span('Stopped', sums.stopped + sums.held),
    ...(price === undefined
      ? []
      : [
          [
            'Execution price',
            <strong key="price" className="number">
              {formatMoney(price)}
            </strong>,
          ] as const,
        ]),
  ];
}

function When({ at }: { at: string }): ReactNode {
  return (
    <Fragment>
      <Moment at={at} />
      <span className={classes['note']}>
        <Ago at={at} />
      </span>
    </Fragment>
  );
}

function Span({ ms }: { ms: number }): ReactNode {
  return <span className="number">{formatDuration(ms)}</span>;
}
