import type { SessionName } from '#domain/order.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';

const READ_SESSION_NAMES: Statement = {
  name: 'read_session_names',
  text: 'select session_id, node_id, node_name from node_sessions where session_id = any ($1::bigint[])',
};

/** Sessions never change their node, so their names are kept; a bound keeps a long life from growing. */
const MAX_KEPT_NAMES = 10_000;

/** Which node a session was a life of. */
export class SessionNames {
  private readonly connection: Connection;
  private readonly names = new Map<number, SessionName>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** At least those that were asked for. */
  async of(sessions: (number | null)[]): Promise<ReadonlyMap<number, SessionName>> {
    const wanted = new Set(sessions.filter((session) => session !== null));
    const unknown = [...wanted].filter((session) => !this.names.has(session));
    if (unknown.length > 0) {
      if (this.names.size > MAX_KEPT_NAMES) this.names.clear();
      const all = this.names.size === 0 ? [...wanted] : unknown;
      const rows = await this.connection.run<{ session_id: number; node_id: string; node_name: string }>(READ_SESSION_NAMES, [
        arrayOf(all),
      ]);
      for (const row of rows) this.names.set(row.session_id, { nodeId: row.node_id, nodeName: row.node_name });
    }
    return this.names;
  }
}
