import type { Log } from '#engine/log.ts';
import { GATE_LEASES, type GateTurn } from '#engine/peer-store.ts';
import type { Store, TickReport } from '#engine/store.ts';

export interface GateKeeperOptions {
  store: Store;
  session: number;
  ttlMs: number;
  /** How long orders may wait for their keys to be compared. */
  limitMs: number;
  log: Log;
}

/** The leader's part in the gate: after an outage it has it compared, and opens it in the end. */
export class GateKeeper {
  private readonly options: GateKeeperOptions;
  private last: GateTurn['state'] = 'open';

  constructor(options: GateKeeperOptions) {
    this.options = options;
  }

  async follow({ leaderTerm, gateNeedsTurn }: TickReport): Promise<void> {
    if (leaderTerm === undefined || !gateNeedsTurn) {
      this.note({ state: 'open', marked: 0 });
      return;
    }
    const { store, session, ttlMs, limitMs } = this.options;
    this.note(await store.peers.turnGate({ session, term: leaderTerm, keepMs: GATE_LEASES * ttlMs, limitMs }));
  }

  private note({ state, marked }: GateTurn): void {
    const { log, session } = this.options;
    if (state === this.last) return;
    this.last = state;
    if (state === 'closed')
      log.warn({ session }, 'the database was away: orders with keys wait until these were compared with the other warehouses');
    else if (state === 'forced')
      log.error({ session, marked }, 'not every warehouse could be compared in time: orders go on, marked as conflicts');
    else if (state === 'open') log.info({ session }, 'orders with keys go on');
  }
}
