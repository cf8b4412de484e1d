import pg from 'pg';
import { ConveyorError, messageOf, WarehouseAway } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { toConnectFault, toStoreFault } from './faults.ts';

/** One hot statement: its text is on the page of its function, its name lets the server keep it prepared. */
export interface Statement {
  name: string;
  text: string;
}

export interface ConnectionOptions {
  url: string;
  /** For messages: the warehouse and what the connection is for. */
  warehouse: string;
  purpose: string;
  log: Log;
  clock: Clock;
  /** A statement that takes longer ends its connection: its outcome is open. */
  timeoutMs: number;
  /** What it writes may be lost with the server: its commits wait for no disk. Default: they do. */
  mayBeLost?: boolean;
}

/**
 * The planner must not trust statistics of tables that were small a moment ago: a plan made for an empty `orders` and kept
 * by a prepared statement would read the whole table a minute later. Every hot statement has an index for each of its
 * ways, so sequential scans and joins that read whole tables are ruled out for these connections.
 */
export const PLANNER = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';
const SAFETY = '-c lock_timeout=4000 -c idle_in_transaction_session_timeout=5000 -c timezone=UTC';

const CONNECT_TIMEOUT_MS = 3_000;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => Date.parse(text));

/** Options of a client or a pool; `timestamptz` reads as epoch milliseconds, `bigint` as a number. */
export function clientConfig(options: ConnectionOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: `conveyor ${options.purpose}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: options.timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    types,
  };
}

/**
 * One connection whose statements are sent without waiting for the answers before (pipelining) and answered in order.
 * It opens when first used, and again after it broke; while it cannot be opened, statements fail at once instead of
 * waiting. After a timeout it is destroyed, never used again: its answers would belong to nobody.
 */
export class Connection {
  private readonly options: ConnectionOptions;
  private client: pg.Client | undefined;
  private opening: Promise<pg.Client> | undefined;
  private backoffMs = FIRST_BACKOFF_MS;
  private notBefore = 0;
  private closed = false;
  /** Warnings the server sent on the open connection: see `runDurably`. */
  private warningCount = 0;
  /** A pooler that refuses start-up options gets none. */
  private startupOptions = true;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  /** Rows of the statement. Rejects with `warehouse-unavailable` when the outcome is open. */
  async run<Row>(statement: Statement, values: unknown[]): Promise<Row[]> {
    const client = this.client ?? (await this.open());
    try {
      const result = await client.query({ name: statement.name, text: statement.text, values });
      return result.rows as Row[];
    } catch (error) {
      throw toStoreFault(error, this.options.warehouse);
    }
  }

  /**
   * The same for what is answered as durable. A cancelled wait for a synchronous replica reports success with only a
   * warning, so any warning meanwhile leaves the outcome open.
   */
  async runDurably<Row>(statement: Statement, values: unknown[]): Promise<Row[]> {
    const before = this.warningCount;
    const rows = await this.run<Row>(statement, values);
    if (this.warningCount !== before) {
      throw new ConveyorError(
        'warehouse-unavailable',
        `the database of warehouse ${this.options.warehouse} warned during a commit; the outcome is open`,
      );
    }
    return rows;
  }

  /** Calls back for every notification on the channel; the subscription ends with the connection. */
  async listen(channel: string, onNotification: (payload: string) => void, onEnd: () => void): Promise<void> {
    const client = this.client ?? (await this.open());
    client.on('notification', (notification) => onNotification(notification.payload ?? ''));
    client.once('end', onEnd);
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
  }

  /** Whether the connection has a server process of its own, and not one that a pooler lends it for each transaction. */
  async isDirect(): Promise<boolean> {
    const client = this.client ?? (await this.open());
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // A pooler invents the number that it tells its clients for cancelling.
    return rows[0]?.pid === (client as pg.Client & { processID: number | null }).processID;
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = this.client ?? (await this.opening?.catch(() => undefined));
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private open(): Promise<pg.Client> {
    if (this.closed) return Promise.reject(new ConveyorError('shutting-down', 'the connection was closed'));
    if (this.opening) return this.opening;
    const { clock, warehouse } = this.options;
    if (clock.monotonic() < this.notBefore) {
      return Promise.reject(new WarehouseAway(warehouse, 'its database could not be reached a moment ago'));
    }
    this.opening = this.connect()
      .then((client) => {
        this.backoffMs = FIRST_BACKOFF_MS;
        this.client = client;
        return client;
      })
      .catch((error: unknown) => {
        this.notBefore = clock.monotonic() + this.backoffMs;
        this.backoffMs = Math.min(MAX_BACKOFF_MS, this.backoffMs * 2);
        throw toConnectFault(error, warehouse);
      })
      .finally(() => {
        this.opening = undefined;
      });
    return this.opening;
  }

  private async connect(): Promise<pg.Client> {
    try {
      return await this.connectOnce();
    } catch (error) {
      if (!this.startupOptions || !/unsupported startup parameter/.test(messageOf(error))) throw error;
      this.startupOptions = false;
      this.options.log.warn(
        { warehouse: this.options.warehouse },
        'the connection pooler refuses start-up options: set ignore_startup_parameters = options, and the planner settings of docs/operations.md for the role',
      );
      return await this.connectOnce();
    }
  }

  private async connectOnce(): Promise<pg.Client> {
    const { log, purpose, warehouse } = this.options;
    const commits = this.options.mayBeLost ? '-c synchronous_commit=off' : '';
    const settings = this.startupOptions ? { options: `${PLANNER} ${SAFETY} ${commits}`.trim() } : {};
    const client = new pg.Client({ ...clientConfig(this.options), ...settings, pipeline: true });
    client.on('error', (error) => log.warn({ warehouse, purpose, error: messageOf(error) }, 'database connection lost'));
    client.on('notice', (notice) => {
      if (notice.severity !== 'WARNING') return;
      this.warningCount += 1;
      log.warn({ warehouse, purpose, notice: notice.message }, 'database warning');
    });
    client.once('end', () => {
      if (this.client === client) this.client = undefined;
    });
    await client.connect();
    return client;
  }
}

/** An array of numbers, ids or words of ours in the server's own text form: cheaper than the driver's generic conversion. */
export function arrayOf(values: readonly (string | number | boolean | null)[]): string {
  return `{${values.join(',')}}`;
}

/** An array of arbitrary texts (JSON included); null stays null. */
export function textArrayOf(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}
