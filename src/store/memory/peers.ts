import type { ClusterLease, GateTurn, KeyConflict, KeyHolder, PeerStore, SharedRecords, StoredKey } from '#engine/peer-store.ts';
import { keepNewer } from '#engine/versioned.ts';
import { placeOfKey, reserveKeys } from './accept.ts';
import { copyOf, type KeyRow, type MemoryDatabase } from './database.ts';
import { gateOf, isAttended } from './gate.ts';
import { liveSessions } from './sessions.ts';

export function peerStore(db: MemoryDatabase): PeerStore {
  return {
    async readPulse() {
      const live = liveSessions(db);
      return {
        liveNodes: live.length,
        slots: live.reduce((sum, { node }) => sum + node.slots, 0),
        busy: live.reduce((sum, { busy }) => sum + busy, 0),
        gate: gateOf(db),
        unsettledHomes: [...new Set([...db.keys.values()].flatMap(({ home }) => home ?? []))].sort(),
        flags: copyOf([...db.flags.values()]),
        settings: copyOf([...db.settings.values()]),
        runningBulks: [...db.bulkParts.values()].filter(({ state }) => state === 'running').length,
        openConflicts: db.conflicts.filter(({ resolvedAt }) => resolvedAt === null).length,
      };
    },
    async addPeers(names) {
      db.peers = [...new Set([...db.peers, ...names])].sort();
      return [...db.peers];
    },
    async forgetPeer(name) {
      const isKnown = db.peers.includes(name);
      db.peers = db.peers.filter((peer) => peer !== name);
      return isKnown;
    },
    reserveKeys: async (reservations) => reserveKeys(db, reservations),
    findKeys: async (keys) => keys.map((key) => holderOf(db.keys.get(placeOfKey(key)))),
    async listUnsettledKeys(home, limit) {
      const rows = [...db.keys].filter(([, row]) => row.home === home).sort(([a], [b]) => (a < b ? -1 : 1));
      return rows.slice(0, limit).map(([, row]) => storedKey(row));
    },
    async adoptKeys(keys) {
      return keys.map((key) => {
        const place = placeOfKey(key);
        const row = db.keys.get(place) ?? { ...copyOf(key), bodyHash: key.bodyHash, home: null };
        db.keys.set(place, row);
        return holderOf(row) as KeyHolder;
      });
    },
    async repointKey(key, from, to) {
      const row = db.keys.get(placeOfKey(key));
      if (row?.orderId === from) row.orderId = to;
    },
    async settleKeys(keys) {
      for (const key of keys) {
        const row = db.keys.get(placeOfKey(key));
        if (row) row.home = null;
      }
    },
    turnGate: async (request) => turnGate(db, request),
    noteCompared: async (peer, round) => noteCompared(db, peer, round),
    ...conflictMethods(db),
    ...leaseMethods(db),
    exportShared: async () => exportShared(db),
    importShared: async (records) => importShared(db, records),
  };
}

function exportShared(db: MemoryDatabase): SharedRecords {
  const tokens = [...db.tokens].map(([hash, token]) => ({ ...copyOf(token), hash: Buffer.from(hash, 'hex') }));
  const [flags, settings, webhooks] = [[...db.flags.values()], [...db.settings.values()], [...db.webhooks.values()]];
  return { tokens, flags: copyOf(flags), settings: copyOf(settings), webhooks: copyOf(webhooks) };
}

function importShared(db: MemoryDatabase, { tokens, flags, settings, webhooks }: SharedRecords): void {
  for (const { hash, ...token } of tokens) {
    const known = db.tokens.get(hash.toString('hex'));
    if (known) known.revokedAt ??= token.revokedAt;
    else db.tokens.set(hash.toString('hex'), copyOf(token));
  }
  keepNewer(db.flags, copyOf(flags), ({ name }) => name);
  keepNewer(db.settings, copyOf(settings), ({ name }) => name);
  keepNewer(db.webhooks, copyOf(webhooks), ({ id }) => id);
}

function leaseMethods(db: MemoryDatabase): Pick<PeerStore, 'takeLease' | 'readLease'> {
  return {
    async takeLease({ name, holder, ttlMs, detail }) {
      const known = db.leases.get(name);
      if (!known || known.holder === holder || known.until < db.clock.now())
        db.leases.set(name, { holder, until: db.clock.now() + ttlMs, detail: copyOf(detail ?? known?.detail ?? null) });
      return leaseOf(db, name) as ClusterLease;
    },
    readLease: async (name) => leaseOf(db, name),
  };
}

function leaseOf(db: MemoryDatabase, name: string): ClusterLease | undefined {
  const row = db.leases.get(name);
  return row && { holder: row.holder, leaseMs: row.until - db.clock.now(), detail: copyOf(row.detail) };
}

function holderOf(row: KeyRow | undefined): KeyHolder | undefined {
  return row && { orderId: row.orderId, bodyHash: Buffer.from(row.bodyHash ?? '') };
}

function storedKey(row: KeyRow): StoredKey {
  const { customerId, kind, key } = row;
  return { customerId, kind, key, ...(holderOf(row) as KeyHolder) };
}

function turnGate(db: MemoryDatabase, request: { session: number; term: number; keepMs: number; limitMs: number }): GateTurn {
  const { gate, lease } = db;
  const now = db.clock.now();
  if (lease.holder !== request.session || lease.term !== request.term) return { state: 'not_leader', marked: 0 };
  const missing = db.peers.filter((peer) => !gate.compared.has(peer));
  const attended = isAttended(db) || gate.epoch === undefined;
  Object.assign(gate, { epoch: db.epoch, until: now + request.keepMs });
  if (db.peers.length > 0 && !attended) {
    Object.assign(gate, { closedAt: now, round: gate.round + 1, compared: new Set() });
    return { state: 'closed', marked: 0 };
  }
  const { closedAt } = gate;
  if (db.peers.length > 0 && closedAt !== undefined && missing.length > 0) {
    if (now - closedAt <= request.limitMs) return { state: 'closed', marked: 0 };
    gate.closedAt = undefined;
    const held = [...db.open].filter(
      ({ state, keyed, acceptedAt }) => (state === 'queued' || state === 'running') && keyed && acceptedAt <= closedAt,
    );
    const marks = held.map(({ customerId, orderId }) =>
      addConflict(db, { kind: 'not_compared', customerId, key: undefined, orderId, otherOrderId: undefined, missing }),
    );
    return { state: 'forced', marked: marks.filter((isNew) => isNew).length };
  }
  gate.closedAt = undefined;
  return { state: 'open', marked: 0 };
}

function noteCompared(db: MemoryDatabase, peer: string, round: number): boolean {
  const { gate } = db;
  if (gate.round !== round) return false;
  gate.compared.add(peer);
  for (const conflict of db.conflicts) {
    if (conflict.kind !== 'not_compared' || conflict.resolvedAt !== null || !conflict.missing.includes(peer)) continue;
    conflict.missing = conflict.missing.filter((name) => name !== peer);
    if (conflict.missing.length === 0)
      Object.assign(conflict, { resolvedAt: db.clock.now(), resolvedBy: 'conveyor', resolution: 'compared later' });
  }
  const complete = isAttended(db) && db.peers.every((name) => gate.compared.has(name));
  if (complete) gate.closedAt = undefined;
  return complete;
}

type NewRow = Omit<KeyConflict, 'id' | 'foundAt' | 'resolvedAt' | 'resolvedBy' | 'resolution'>;

/** Whether it is new. */
function addConflict(db: MemoryDatabase, row: NewRow): boolean {
  const isSame = (other: NewRow): boolean =>
    other.kind === row.kind && other.orderId === row.orderId && other.otherOrderId === row.otherOrderId;
  if (db.conflicts.some(isSame)) return false;
  const id = `00000000-0000-7000-8000-${String(db.conflicts.length + 1).padStart(12, '0')}`;
  db.conflicts.push({ ...copyOf(row), id, foundAt: db.clock.now(), resolvedAt: null, resolvedBy: null, resolution: null });
  return true;
}

function conflictMethods(db: MemoryDatabase): Pick<PeerStore, 'recordConflict' | 'listConflicts' | 'resolveConflict'> {
  return {
    async recordConflict(conflict) {
      addConflict(db, { ...conflict, missing: [] });
    },
    async listConflicts({ all, limit, beforeId }) {
      const rows = db.conflicts.filter(({ id, resolvedAt }) => (all || resolvedAt === null) && (beforeId === undefined || id < beforeId));
      return copyOf(rows.reverse().slice(0, limit));
    },
    async resolveConflict(conflictId, { actor, reason }) {
      const found = db.conflicts.find(({ id, resolvedAt }) => id === conflictId && resolvedAt === null);
      if (!found) return undefined;
      Object.assign(found, { resolvedAt: db.clock.now(), resolvedBy: actor, resolution: reason ?? null });
      db.record('conflict.resolve', conflictId, { actor, reason });
      return copyOf(found);
    },
  };
}
