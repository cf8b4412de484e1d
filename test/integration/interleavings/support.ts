import pg from 'pg';
import type { OrderRecord } from '#domain/order.ts';
import { systemClock } from '#engine/clock.ts';
import { findViolations } from '#engine/history-check.ts';
import { silentLog } from '#engine/log.ts';
import type { ClaimedOrder, MoveVerdict, NodeLoad, OrderMove, Store, TickReport } from '#engine/store.ts';
import { advanceOrders } from '#store/postgres/advance.ts';
import { cancelOrder } from '#store/postgres/cancel.ts';
import { OrderClaims } from '#store/postgres/claim.ts';
import { type Connection, clientConfig, type Statement } from '#store/postgres/connect.ts';
import { OrderJournal } from '#store/postgres/journal.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { tick } from '#store/postgres/sessions.ts';
import { WorkflowIds } from '#store/postgres/workflow-ids.ts';
import { createTestDatabase, type TestDatabase } from '#test/database.ts';
import { waitUntil } from '#test/waiting.ts';
import { findStrayWork } from '#test/work-table.ts';
import { describeNode, loadOf, ORDER_WORKFLOW, TTL_MS } from '../../conformance/support.ts';

/** The SQL as it is, or with one bug planted into a copy of it. */
export interface SqlUnderTest {
  /** What becomes of a statement's text. */
  rewrite: (statement: Statement) => string;
  /** Run in the test's own database: functions of the database, planted. */
  setUp: readonly string[];
  /** Whether the node asks which orders it owns. */
  reconciles: boolean;
}

export const REAL_SQL: SqlUnderTest = { rewrite: ({ text }) => text, setUp: [], reconciles: true };

/** A copy of the SQL in which the given statements differ. A text that is not there any more is a planted bug that plants nothing. */
export function plant(changes: Record<string, readonly [found: string, put: string][]>): SqlUnderTest {
  return {
    ...REAL_SQL,
    rewrite({ name, text }) {
      return (changes[name] ?? []).reduce((changed, [found, put]) => {
        if (!changed.includes(found)) throw new Error(`statement ${name} does not contain ${JSON.stringify(found)} any more`);
        return changed.replaceAll(found, put);
      }, text);
    },
  };
}

/** A connection whose transactions the test opens and closes by itself, with the statements under test. */
export class Actor {
  readonly client: pg.Client;
  private readonly connection: Connection;
  private readonly connections: Record<'claims' | 'moves' | 'closings' | 'hints', Connection>;
  private readonly workflowIds: WorkflowIds;

  private constructor(client: pg.Client, sql: SqlUnderTest) {
    this.client = client;
    const run = async (statement: Statement, values: unknown[]): Promise<unknown[]> =>
      (await client.query({ text: sql.rewrite(statement), values })).rows;
    this.connection = { run } as unknown as Connection;
    const { connection } = this;
    this.connections = { claims: connection, moves: connection, closings: connection, hints: connection };
    this.workflowIds = new WorkflowIds(this.connection);
  }

  static async connect(url: string, sql: SqlUnderTest): Promise<Actor> {
    const options = { url, warehouse: 'HCM', purpose: 'test', log: silentLog, clock: systemClock, timeoutMs: 20_000 };
    const client = new pg.Client(clientConfig(options));
    await client.connect();
    return new Actor(client, sql);
  }

  begin = (): Promise<unknown> => this.client.query('begin');
  commit = (): Promise<unknown> => this.client.query('commit');

  async claim(session: number, limit = 10): Promise<ClaimedOrder[]> {
    const workflows = await this.workflowIds.numbersOf([ORDER_WORKFLOW]);
    return new OrderClaims(this.connections, this.journal(), this.workflowIds, systemClock).claim(session, workflows, limit);
  }

  async advance(session: number, move: OrderMove): Promise<MoveVerdict> {
    return (await advanceOrders(this.connections, this.journal(), session, [move]))[0] as MoveVerdict;
  }

  /** A new one each time: it knows nothing, and asks the database. */
  private journal(): OrderJournal {
    return new OrderJournal(this.connections);
  }

  async tick(session: number, load: Partial<NodeLoad> = {}): Promise<TickReport | undefined> {
    const reach = { ownedFrom: '00000000-0000-0000-0000-000000000000', queuedFrom: '-infinity' };
    return (await tick(this.connection, session, TTL_MS, loadOf(load), reach))?.report;
  }

  async endSession(session: number, reason = 'transfer'): Promise<number> {
    const { rows } = await this.client.query('select * from end_sessions($1::bigint[], $2)', [`{${session}}`, reason]);
    return rows.length;
  }

  async cancel(orderId: string): Promise<string> {
    return (await cancelOrder(this.connection, { orderId, actor: 'op', customerId: undefined, reason: undefined })).outcome;
  }

  /** Resolves when the server says that this connection's statement waits for a lock. */
  async untilWaiting(observer: pg.Client): Promise<void> {
    const { processID } = this.client as pg.Client & { processID: number };
    await waitUntil('the statement to wait for a lock', async () => {
      const { rows } = await observer.query('select wait_event_type as type from pg_stat_activity where pid = $1', [processID]);
      return rows[0]?.type === 'Lock';
    });
  }
}

/** One database with two actors on it, for one run of one scenario. */
export interface Stage {
  sql: SqlUnderTest;
  url: string;
  store: Store;
  a: Actor;
  b: Actor;
  observer: pg.Client;
  openSession(nodeId?: string): Promise<number>;
  /** Ends a session as often as it takes: a session whose row is locked is passed over. */
  endSurely(session: number): Promise<void>;
}

/** Runs a scenario; what it found wrong, together with what histories and rows show afterwards. */
export async function perform(sql: SqlUnderTest, scenario: (stage: Stage) => Promise<string[]>): Promise<string[]> {
  const database = await createTestDatabase();
  const opened: { close: () => Promise<unknown> }[] = [];
  try {
    const stage = await openStage(database, sql, opened);
    const findings = await scenario(stage);
    return [...findings, ...(await inspect(stage))];
  } finally {
    for (const { close } of opened.reverse()) await close();
    await database.drop();
  }
}

async function openStage({ url }: TestDatabase, sql: SqlUnderTest, opened: { close: () => Promise<unknown> }[]): Promise<Stage> {
  const store = await openPostgresStore({ url, log: silentLog, clock: systemClock });
  opened.push({ close: () => store.close() });
  await store.registerWorkflows([ORDER_WORKFLOW]);
  const [a, b, other] = [await Actor.connect(url, sql), await Actor.connect(url, sql), await Actor.connect(url, sql)];
  for (const { client } of [a, b, other]) opened.push({ close: () => client.end() });
  const observer = other.client;
  for (const text of sql.setUp) await observer.query(text);
  return {
    ...{ sql, url, store, a, b, observer },
    openSession: (nodeId) => store.openSession(describeNode(nodeId === undefined ? {} : { nodeId }), TTL_MS),
    endSurely: (session) => waitUntil('the session to end', async () => (await other.endSession(session)) === 1),
  };
}

/** What no history and no row may show, whatever happened. */
async function inspect({ observer, store }: Stage): Promise<string[]> {
  const { rows: orphans } = await observer.query(
    `select o.order_id from orders o join node_sessions s on s.session_id = o.owner_session where s.state = 'dead'`,
  );
  const { rows: ids } = await observer.query<{ order_id: string }>('select order_id from orders');
  const records = (await store.readOrders(ids.map((row) => row.order_id))).filter((record): record is OrderRecord => record !== undefined);
  const violations = findViolations(records, { stepCountOf: () => ORDER_WORKFLOW.stepNames.length, allEnded: false });
  return [
    ...(await findStrayWork(observer)),
    ...orphans.map(() => 'I3: an order is owned by a dead session'),
    ...violations.map(({ invariant, message }) => `${invariant}: ${message}`),
  ];
}
