import type { Json } from '#domain/json.ts';
import type { EpochMs } from '#domain/time.ts';
import type {
  ClusterLease,
  ConflictKind,
  CustomerKey,
  GateTurn,
  KeyConflict,
  KeyHolder,
  PeerStore,
  Pulse,
  SharedRecords,
  StoredKey,
} from '#engine/peer-store.ts';
import type { OrderKey } from '#engine/store.ts';
import type { OrderIntake } from './accept.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';
import { exportShared, type FlagRow, flagOf, importShared, type SettingRow, settingOf } from './shared.ts';

/** Reads small tables only, whatever waits in the queue. */
const READ_PULSE: Statement = {
  name: 'read_pulse',
  text: `
    select n.nodes as live_nodes, n.slots, n.busy,
           cardinality(w.peers) = 0 or (l.gate_epoch is not distinct from pg_postmaster_start_time()
             and l.gate_until > clock_timestamp() and l.gate_closed_at is null) as gate_open,
           l.gate_round, l.gate_compared,
           (with recursive homes as (
              (select home from order_keys where home is not null order by home limit 1)
              union all
              select (select k.home from order_keys k where k.home > h.home order by k.home limit 1) from homes h where h.home is not null
            ) select array_agg(home) from homes where home is not null) as unsettled_homes,
           (select json_agg(f) from warehouse_flags f) as flags, (select json_agg(s) from cluster_settings s) as settings,
           (select count(*) from (select from key_conflicts where resolved_at is null limit 1000) c) as open_conflicts,
           (select count(*) from bulk_operations where state = 'running') as running_bulks
      from warehouse w, leader_lease l,
           (select count(*) as nodes, coalesce(sum(slots), 0)::bigint as slots, coalesce(sum(busy), 0)::bigint as busy
              from node_sessions where state = 'live' and lease_until > clock_timestamp()) n
     where l.name = 'warehouse'`,
};

const ADD_PEERS: Statement = {
  name: 'add_peers',
  text: `
    with added as (
      update warehouse set peers = array(select unnest(peers) union select unnest($1::text[]) order by 1) where not peers @> $1::text[]
      returning peers
    )
    select coalesce((select peers from added), (select peers from warehouse)) as peers`,
};

const FORGET_PEER: Statement = {
  name: 'forget_peer',
  text: 'update warehouse set peers = array_remove(peers, $1) where $1 = any (peers) returning name',
};

const KEYS = `unnest($1::text[], $2::text[], $3::text[]) with ordinality as i (customer_id, kind, key, n)`;

const FIND_HOLDERS: Statement = {
  name: 'find_holders',
  text: `select i.n, k.order_id, k.body_hash from ${KEYS} join order_keys k using (customer_id, kind, key)`,
};

const LIST_UNSETTLED: Statement = {
  name: 'list_unsettled',
  text: `
    select customer_id, kind, key, order_id, body_hash from order_keys
     where home = $1 order by home, customer_id, kind, key limit $2`,
};

const ADOPT_KEYS: Statement = {
  name: 'adopt_keys',
  text: `
    insert into order_keys (customer_id, kind, key, order_id, body_hash)
    select customer_id, kind, key, order_id, body_hash
      from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bytea[]) as i (customer_id, kind, key, order_id, body_hash)
     order by customer_id, kind, key
    on conflict do nothing`,
};

const REPOINT_KEY: Statement = {
  name: 'repoint_key',
  text: 'update order_keys set order_id = $5 where (customer_id, kind, key) = ($1, $2, $3) and order_id = $4',
};

const SETTLE_KEYS: Statement = {
  name: 'settle_keys',
  text: `update order_keys k set home = null from ${KEYS} where (k.customer_id, k.kind, k.key) = (i.customer_id, i.kind, i.key)`,
};

const TURN_GATE: Statement = {
  name: 'turn_gate',
  text: `select state, marked from turn_gate($1, $2, $3 * interval '1 millisecond', $4 * interval '1 millisecond')`,
};

const NOTE_COMPARED: Statement = { name: 'note_compared', text: 'select note_compared($1, $2) as open' };

const RECORD_CONFLICT: Statement = {
  name: 'record_conflict',
  text: `
    insert into key_conflicts (kind, customer_id, key_kind, key, order_id, other_order_id) values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing`,
};

const CONFLICT_COLUMNS = `conflict_id, found_at, kind, customer_id, key_kind, key, order_id, other_order_id, missing, resolved_at,
           resolved_by, resolution`;

const LIST_CONFLICTS: Statement = {
  name: 'list_conflicts',
  text: `
    select ${CONFLICT_COLUMNS} from key_conflicts
     where ($1 or resolved_at is null) and ($3::uuid is null or conflict_id < $3) order by conflict_id desc limit $2`,
};

const RESOLVE_CONFLICT: Statement = {
  name: 'resolve_conflict',
  text: `
    with resolved as (
      update key_conflicts set resolved_at = clock_timestamp(), resolved_by = $2, resolution = $3
       where conflict_id = $1 and resolved_at is null returning *
    ), told as (
      insert into audit (actor, action, target, reason) select $2, 'conflict.resolve', conflict_id::text, $3 from resolved
    )
    select ${CONFLICT_COLUMNS} from resolved`,
};

const TAKE_LEASE: Statement = {
  name: 'take_lease',
  text: `
    insert into cluster_leases as l (name, holder, lease_until, detail)
    values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond', $4)
    on conflict (name) do update
       set holder = excluded.holder, lease_until = excluded.lease_until, detail = coalesce(excluded.detail, l.detail)
     where l.holder = excluded.holder or l.lease_until < clock_timestamp()
    returning holder, (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as lease_ms, detail`,
};

const READ_LEASE: Statement = {
  name: 'read_lease',
  text: `
    select holder, (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as lease_ms, detail
      from cluster_leases where name = $1`,
};

interface LeaseRow {
  holder: string;
  lease_ms: number;
  detail: Json;
}

function leaseOf({ holder, lease_ms, detail }: LeaseRow): ClusterLease {
  return { holder, leaseMs: Math.round(lease_ms), detail };
}

interface PulseRow {
  live_nodes: number;
  slots: number;
  busy: number;
  gate_open: boolean;
  gate_round: number;
  gate_compared: string[];
  settings: InJson<SettingRow>[] | null;
  open_conflicts: number;
  running_bulks: number;
  unsettled_homes: string[] | null;
  flags: InJson<FlagRow>[] | null;
}

/** A row as a part of another row's JSON: moments are texts there. */
type InJson<Row extends { changed_at: EpochMs }> = Omit<Row, 'changed_at'> & { changed_at: string };

interface KeyRow {
  customer_id: string;
  kind: OrderKey['kind'];
  key: string;
  order_id: string;
  body_hash: Buffer;
}

interface ConflictRow {
  conflict_id: string;
  found_at: EpochMs;
  kind: ConflictKind;
  customer_id: string;
  key_kind: OrderKey['kind'] | null;
  key: string | null;
  order_id: string;
  other_order_id: string | null;
  missing: string[];
  resolved_at: EpochMs | null;
  resolved_by: string | null;
  resolution: string | null;
}

/** `pulse` is a connection of its own, so that nothing that takes long can be mistaken for a database that is away. */
export function peerStore(connections: { pulse: Connection; rare: Connection }, intake: OrderIntake): PeerStore {
  const { pulse, rare } = connections;
  return {
    async readPulse() {
      const [row] = await pulse.run<PulseRow>(READ_PULSE, []);
      return pulseOf(row as PulseRow);
    },
    async addPeers(names) {
      const [row] = await rare.run<{ peers: string[] }>(ADD_PEERS, [textArrayOf(names)]);
      return (row as { peers: string[] }).peers;
    },
    async forgetPeer(name) {
      return (await rare.run(FORGET_PEER, [name])).length > 0;
    },
    reserveKeys: (reservations) => intake.reserve(reservations),
    findKeys: (keys) => findKeys(rare, keys),
    async listUnsettledKeys(home, limit) {
      const rows = await rare.run<KeyRow>(LIST_UNSETTLED, [home, limit]);
      return rows.map(keyOf);
    },
    async adoptKeys(keys) {
      const values = [...arraysOf(keys), arrayOf(keys.map(({ orderId }) => orderId)), textArrayOf(keys.map(hexOfBody))];
      await rare.runDurably(ADOPT_KEYS, values);
      // A statement of its own: only a new snapshot shows who won a race.
      return (await findKeys(rare, keys)).map((holder) => holder as KeyHolder);
    },
    async repointKey({ customerId, kind, key }, from, to) {
      await rare.run(REPOINT_KEY, [customerId, kind, key, from, to]);
    },
    async settleKeys(keys) {
      await rare.run(SETTLE_KEYS, arraysOf(keys));
    },
    async turnGate({ session, term, keepMs, limitMs }) {
      const [row] = await rare.run<GateTurn>(TURN_GATE, [session, term, keepMs, limitMs]);
      return row as GateTurn;
    },
    async noteCompared(peer, round) {
      const [row] = await rare.run<{ open: boolean }>(NOTE_COMPARED, [peer, round]);
      return row?.open ?? false;
    },
    ...conflictMethods(rare),
    ...leaseMethods(rare),
    exportShared: () => exportShared(rare),
    importShared: (records: SharedRecords) => importShared(rare, records),
  };
}

function conflictMethods(rare: Connection): Pick<PeerStore, 'recordConflict' | 'listConflicts' | 'resolveConflict'> {
  return {
    async recordConflict({ kind, customerId, key, orderId, otherOrderId }) {
      await rare.run(RECORD_CONFLICT, [kind, customerId, key?.kind ?? null, key?.key ?? null, orderId, otherOrderId ?? null]);
    },
    async listConflicts({ all, limit, beforeId }) {
      const rows = await rare.run<ConflictRow>(LIST_CONFLICTS, [all, limit, beforeId ?? null]);
      return rows.map(conflictOf);
    },
    async resolveConflict(conflictId, { actor, reason }) {
      const [row] = await rare.run<ConflictRow>(RESOLVE_CONFLICT, [conflictId, actor, reason ?? null]);
      return row && conflictOf(row);
    },
  };
}

function leaseMethods(rare: Connection): Pick<PeerStore, 'takeLease' | 'readLease'> {
  return {
    async takeLease({ name, holder, ttlMs, detail }) {
      const [taken] = await rare.run<LeaseRow>(TAKE_LEASE, [name, holder, ttlMs, detail === null ? null : JSON.stringify(detail)]);
      // A statement of its own: only a new snapshot shows who else has it.
      return leaseOf(taken ?? ((await rare.run<LeaseRow>(READ_LEASE, [name]))[0] as LeaseRow));
    },
    async readLease(name) {
      const [row] = await rare.run<LeaseRow>(READ_LEASE, [name]);
      return row && leaseOf(row);
    },
  };
}

async function findKeys(connection: Connection, keys: readonly CustomerKey[]): Promise<(KeyHolder | undefined)[]> {
  const rows = await connection.run<{ n: number; order_id: string; body_hash: Buffer }>(FIND_HOLDERS, arraysOf(keys));
  const found: (KeyHolder | undefined)[] = keys.map(() => undefined);
  for (const row of rows) found[row.n - 1] = { orderId: row.order_id, bodyHash: row.body_hash };
  return found;
}

function arraysOf(keys: readonly CustomerKey[]): string[] {
  return [
    textArrayOf(keys.map(({ customerId }) => customerId)),
    textArrayOf(keys.map(({ kind }) => kind)),
    textArrayOf(keys.map(({ key }) => key)),
  ];
}

function hexOfBody({ bodyHash }: StoredKey): string {
  return `\\x${bodyHash.toString('hex')}`;
}

function keyOf(row: KeyRow): StoredKey {
  return { customerId: row.customer_id, kind: row.kind, key: row.key, orderId: row.order_id, bodyHash: row.body_hash };
}

function pulseOf(row: PulseRow): Pulse {
  return {
    liveNodes: row.live_nodes,
    slots: row.slots,
    busy: row.busy,
    gate: { open: row.gate_open, round: row.gate_round, compared: row.gate_compared },
    openConflicts: row.open_conflicts,
    runningBulks: row.running_bulks,
    settings: (row.settings ?? []).map((setting) => settingOf({ ...setting, changed_at: Date.parse(setting.changed_at) })),
    unsettledHomes: row.unsettled_homes ?? [],
    flags: (row.flags ?? []).map((flag) => flagOf({ ...flag, changed_at: Date.parse(flag.changed_at) })),
  };
}

function conflictOf(row: ConflictRow): KeyConflict {
  return {
    id: row.conflict_id,
    foundAt: row.found_at,
    kind: row.kind,
    customerId: row.customer_id,
    key: row.key_kind === null || row.key === null ? undefined : { kind: row.key_kind, key: row.key },
    orderId: row.order_id,
    otherOrderId: row.other_order_id ?? undefined,
    missing: row.missing,
    resolvedAt: row.resolved_at,
    resolvedBy: row.resolved_by,
    resolution: row.resolution,
  };
}
