import type { Command } from 'commander';
import { ApiClient, resolveAccess } from './client.ts';
import { addSettings, readSettings } from './options.ts';
import { type Column, neutralise, paint, renderData, renderPairs, type Style } from './print.ts';

/** An order as the gateway answers it, as far as the commands read it. */
export interface ShownOrder {
  order_id: string;
  status: string;
  current_step?: string;
  start_time: string;
  complete_time?: string;
  region?: string;
  warehouse?: string;
  routed_because?: { code: string; message: string };
  node_id?: string;
  customer_name?: string;
  waiting_because?: { code: string; message: string; until?: string };
  steps?: ShownStep[];
}

export interface ShownStep {
  step_name: string;
  step_start_time?: string;
  step_complete_time?: string;
  attempt?: number;
  node_id?: string;
  rollback_time?: string;
  error?: { code?: string; message?: string } | string;
}

export const CLIENT_SETTINGS = ['endpoint', 'token'] as const;
const ENDED = new Set(['completed', 'failed', 'cancelled']);

export function isEnded(status: string): boolean {
  return ENDED.has(status);
}

const STATUS_STYLES: Record<string, Style> = {
  completed: 'green',
  failed: 'red',
  needs_attention: 'red',
  cancelled: 'gray',
  rolling_back: 'yellow',
  processing: 'cyan',
};

export const ORDER_COLUMNS: Column<ShownOrder>[] = [
  { title: 'ORDER ID', text: (order) => order.order_id },
  { title: 'STATUS', text: (order) => order.status, style: (order) => STATUS_STYLES[order.status] },
  { title: 'STEP', text: (order) => order.current_step ?? '' },
  { title: 'ACCEPTED', text: (order) => order.start_time },
  { title: 'ENDED', text: (order) => order.complete_time ?? '' },
  { title: 'CUSTOMER NAME', text: (order) => order.customer_name ?? '', wide: true },
  { title: 'REGION', text: (order) => order.region ?? '', wide: true },
  { title: 'WAREHOUSE', text: (order) => order.warehouse ?? '', wide: true },
  { title: 'NODE', text: (order) => order.node_id ?? '', wide: true },
];

const STEP_COLUMNS: Column<ShownStep>[] = [
  { title: 'STEP', text: (step) => step.step_name },
  { title: 'STARTED', text: (step) => step.step_start_time ?? '' },
  { title: 'COMPLETED', text: (step) => step.step_complete_time ?? '' },
  { title: 'ROLLED BACK', text: (step) => step.rollback_time ?? '' },
  { title: 'ATTEMPT', text: (step) => String(step.attempt ?? ''), wide: true },
  { title: 'NODE', text: (step) => step.node_id ?? '', wide: true },
  { title: 'ERROR', text: (step) => describeError(step.error) },
];

/** An order for people: what it is, then its steps. */
export function renderOrder(order: ShownOrder, format: 'table' | 'wide'): string {
  const pairs: [string, string | undefined][] = [
    ['Order', order.order_id],
    ['Status', order.status],
    ['Step', order.current_step],
    ['Waits because', order.waiting_because?.message],
    ['Accepted', order.start_time],
    ['Ended', order.complete_time],
    ['Customer name', order.customer_name],
    ['Region', order.region],
    ['Warehouse', order.warehouse],
    ['Routed because', order.routed_because?.message],
  ];
  const known = pairs.flatMap(([label, value]) => (value === undefined ? [] : [[label, neutralise(String(value))] as const]));
  const coloured = known.map(([label, value]) => [label, label === 'Status' ? paint(STATUS_STYLES[value], value) : value] as const);
  const steps = renderData({ document: order, rows: order.steps ?? [], columns: STEP_COLUMNS, empty: 'No step has begun.' }, format);
  return `${renderPairs(coloured)}\n${steps}`;
}

export function describeError(error: ShownStep['error']): string {
  if (error === undefined || error === null) return '';
  return typeof error === 'string' ? error : (error.message ?? error.code ?? '');
}

/** Gives a command what it needs to reach a gateway. */
export function addAccess(command: Command): Command {
  return addSettings(command, CLIENT_SETTINGS);
}

/** Calls `use` with a client for the endpoint of this command. */
export async function withClient<Result>(command: Command, use: (client: ApiClient) => Promise<Result>): Promise<Result> {
  const { settings } = await readSettings(command, CLIENT_SETTINGS);
  const client = new ApiClient(resolveAccess(settings, 'operator'));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** The path of one order; an id from the command line may hold anything. */
export function orderPath(orderId: string, rest = ''): string {
  return `/orders/${encodeURIComponent(orderId)}${rest}`;
}
