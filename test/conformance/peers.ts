import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { newOrderId } from '#domain/ids.ts';
import type { Json } from '#domain/json.ts';
import { systemClock } from '#engine/clock.ts';
import type { KeyReservation, StoredKey } from '#engine/peer-store.ts';
import type { OrderKey } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import { bodyOf, describeNode, freshKey, loadOf, newOrder, readOne, TTL_MS } from './support.ts';

const ELSEWHERE = 4_711;
const NONE = { tokens: [], flags: [], settings: [], webhooks: [] };
const idElsewhere = (): string => newOrderId(ELSEWHERE, systemClock.now(), systemClock.entropy());

function reservation(changes: Partial<KeyReservation> = {}): KeyReservation {
  return { orderId: idElsewhere(), customerId: 'user', keys: [freshKey()], bodyHash: bodyOf('a'), ...changes };
}

function keysOf({ orderId, customerId, keys, bodyHash }: KeyReservation): StoredKey[] {
  return keys.map((key) => ({ ...key, customerId, orderId, bodyHash }));
}

export function describePeers(suite: Suite): void {
  describe('keys that lead elsewhere', () => {
    it('I2: a reserved key answers every later order with the id it leads to', async () => {
      const reserved = reservation({ keys: [freshKey(), { kind: 'tracking', key: randomUUID() }] });
      expect(await suite.store.peers.reserveKeys([reserved])).toEqual([{ outcome: 'reserved' }]);
      expect(await suite.second.peers.reserveKeys([{ ...reserved, orderId: idElsewhere() }])).toEqual([
        { outcome: 'existing', orderId: reserved.orderId },
      ]);
      const order = newOrder({ keys: reserved.keys, bodyHash: reserved.bodyHash });
      expect(await suite.store.acceptOrders([order])).toEqual([{ outcome: 'elsewhere', orderId: reserved.orderId }]);
      const other = newOrder({ keys: reserved.keys.slice(0, 1), bodyHash: bodyOf('b') });
      expect(await suite.store.acceptOrders([other])).toEqual([{ outcome: 'other_body', key: reserved.keys[0] }]);
      expect(await suite.store.readOrders([order.orderId, other.orderId])).toEqual([undefined, undefined]);
    });

    it('I2: of many who reserve one key at once, one gets it', async () => {
      const keys = [freshKey()];
      const wanted = Array.from({ length: 20 }, () => reservation({ keys }));
      const verdicts = await Promise.all(
        wanted.map(async (one, index) => (await [suite.store, suite.second][index % 2]?.peers.reserveKeys([one]))?.[0]),
      );
      const winner = wanted[verdicts.findIndex((verdict) => verdict?.outcome === 'reserved')]?.orderId;
      expect(verdicts.filter((verdict) => verdict?.outcome === 'reserved')).toHaveLength(1);
      for (const verdict of verdicts)
        if (verdict?.outcome !== 'reserved') expect(verdict).toEqual({ outcome: 'existing', orderId: winner });
    });

    it('a key of an order that is here cannot be reserved', async () => {
      const keys = [freshKey()];
      const order = newOrder({ keys, bodyHash: bodyOf('a') });
      await suite.store.acceptOrders([order]);
      expect(await suite.store.peers.reserveKeys([reservation({ keys })])).toEqual([{ outcome: 'existing', orderId: order.orderId }]);
      expect(await suite.store.peers.reserveKeys([reservation({ keys, bodyHash: bodyOf('b') })])).toEqual([
        { outcome: 'other_body', key: keys[0] },
      ]);
    });

    it('holders are found, whoever has the order; other customers hold nothing', async () => {
      const reserved = reservation();
      await suite.store.peers.reserveKeys([reserved]);
      const [key] = keysOf(reserved) as [StoredKey];
      expect(await suite.second.peers.findKeys([key, { ...key, customerId: 'other' }, { ...key, key: randomUUID() }])).toEqual([
        { orderId: reserved.orderId, bodyHash: reserved.bodyHash },
        undefined,
        undefined,
      ]);
    });

    it('unsettled keys are listed by the home that misses them, until they are settled; the pulse names the homes', async () => {
      const keys = [freshKey(), { kind: 'client', key: randomUUID() }] as OrderKey[];
      const order = newOrder({ keys, bodyHash: bodyOf('a'), unsettledHome: 'HN' });
      await suite.store.acceptOrders([order, newOrder({ keys: [freshKey()], bodyHash: bodyOf('a') })]);
      expect((await suite.second.peers.readPulse()).unsettledHomes).toEqual(['HN']);
      const listed = await suite.second.peers.listUnsettledKeys('HN', 10);
      expect(listed.map(({ orderId, key }) => `${orderId} ${key}`).sort()).toEqual(keys.map(({ key }) => `${order.orderId} ${key}`).sort());
      expect(listed[0]?.bodyHash).toEqual(order.bodyHash);
      expect(await suite.store.peers.listUnsettledKeys('HN', 1)).toHaveLength(1);
      expect(await suite.store.peers.listUnsettledKeys('DN', 10)).toEqual([]);
      await suite.store.peers.settleKeys(listed);
      expect(await suite.store.peers.listUnsettledKeys('HN', 10)).toEqual([]);
      expect((await suite.second.peers.readPulse()).unsettledHomes).toEqual([]);
    });

    it('adopted keys are taken where they are free; repointing moves only what led to the given order', async () => {
      const taken = reservation();
      await suite.store.peers.reserveKeys([taken]);
      const [free] = keysOf(reservation()) as [StoredKey];
      const rival = { ...(keysOf(taken)[0] as StoredKey), orderId: idElsewhere() };
      expect(await suite.store.peers.adoptKeys([free, rival])).toEqual([
        { orderId: free.orderId, bodyHash: free.bodyHash },
        { orderId: taken.orderId, bodyHash: taken.bodyHash },
      ]);
      await suite.store.peers.repointKey(rival, idElsewhere(), rival.orderId);
      expect((await suite.store.peers.findKeys([rival]))[0]?.orderId).toBe(taken.orderId);
      await suite.store.peers.repointKey(rival, taken.orderId, rival.orderId);
      expect((await suite.store.peers.findKeys([rival]))[0]?.orderId).toBe(rival.orderId);
    });
  });

  describeGate(suite);
  describeConflicts(suite);
  describeShared(suite);

  it('an order keeps why it was routed, and whether it has keys', async () => {
    const routedBecause = { code: 'fallback', message: 'HN is down' };
    const order = newOrder({ routedBecause, keys: [freshKey()], bodyHash: bodyOf('a') });
    const plain = newOrder();
    await suite.store.acceptOrders([order, plain]);
    expect((await readOne(suite.store, order.orderId)).order).toMatchObject({ routedBecause, keyed: true });
    expect((await readOne(suite.store, plain.orderId)).order).toMatchObject({ routedBecause: null, keyed: false });
  });

  it('the pulse counts live nodes, slots and busy ones', async () => {
    const before = await suite.store.peers.readPulse();
    const session = await suite.store.openSession(describeNode({ slots: 7 }), TTL_MS);
    await suite.store.tick(session, TTL_MS, loadOf({ busy: 3 }));
    const after = await suite.second.peers.readPulse();
    expect(after).toMatchObject({ liveNodes: before.liveNodes + 1, slots: before.slots + 7, busy: before.busy + 3 });
    await suite.store.endSessions([session], 'left');
  });
}

function describeGate(suite: Suite): void {
  describe('the gate', () => {
    /** The one leader of the moment, with its term. */
    async function lead(): Promise<{ session: number; term: number; needsTurn: boolean }> {
      await suite.underTest.expireLeader('lease');
      const session = await suite.store.openSession(describeNode(), TTL_MS);
      const report = await suite.store.tick(session, TTL_MS, loadOf({ leading: { term: undefined, worked: true } }));
      return { session, term: report?.leaderTerm ?? -1, needsTurn: report?.gateNeedsTurn ?? false };
    }
    const turn = ({ session, term }: { session: number; term: number }, limitMs = 60_000) =>
      suite.store.peers.turnGate({ session, term, keepMs: 60_000, limitMs });
    const claimable = async (session: number, orderId: string): Promise<boolean> =>
      (await suite.store.claimOrders(session, 1_000)).some((order) => order.orderId === orderId);
    const accept = async (keyed: boolean): Promise<string> => {
      const order = newOrder(keyed ? { keys: [freshKey()], bodyHash: bodyOf('a') } : {});
      await suite.store.acceptOrders([order]);
      return order.orderId;
    };
    /** Exactly these others. */
    const setPeers = async (...names: string[]): Promise<void> => {
      for (const known of await suite.store.peers.addPeers(names)) if (!names.includes(known)) await suite.store.peers.forgetPeer(known);
    };
    afterAll(() => setPeers());

    it('is open where there are no other warehouses, whatever happened', async () => {
      await setPeers();
      const leader = await lead();
      await suite.underTest.changeEpoch();
      expect((await suite.store.peers.readPulse()).gate.open).toBe(true);
      expect(await claimable(leader.session, await accept(true))).toBe(true);
    });

    it('I2: is shut at once by a restart of the server, before anyone acts: orders with keys wait, others do not', async () => {
      await setPeers('HN', 'DN');
      const leader = await lead();
      await turn(leader, -1);
      await turn(leader, -1);
      expect((await suite.store.peers.readPulse()).gate.open).toBe(true);
      const [held, plain] = [await accept(true), await accept(false)];
      await suite.underTest.changeEpoch();
      expect((await suite.store.peers.readPulse()).gate.open).toBe(false);
      const claimed = (await suite.store.claimOrders(leader.session, 1_000)).map(({ orderId }) => orderId);
      expect(claimed).toContain(plain);
      expect(claimed).not.toContain(held);
      // Compared with both: open, and what waited goes on.
      expect(await turn(leader)).toEqual({ state: 'closed', marked: 0 });
      const { round } = (await suite.store.peers.readPulse()).gate;
      expect(await suite.second.peers.noteCompared('HN', round)).toBe(false);
      expect((await suite.store.peers.readPulse()).gate).toEqual({ open: false, round, compared: ['HN'] });
      const fresh = await accept(true);
      expect(await claimable(leader.session, held)).toBe(false);
      expect(await suite.second.peers.noteCompared('DN', round - 1)).toBe(false);
      expect(await suite.second.peers.noteCompared('DN', round)).toBe(true);
      expect((await suite.store.peers.readPulse()).gate.open).toBe(true);
      expect(await claimable(leader.session, held)).toBe(true);
      expect((await readOne(suite.store, fresh)).order.state).toBe('running');
    });

    it('knows every other warehouse that anyone named, until it is told that one is gone', async () => {
      await setPeers('HN');
      expect(await suite.second.peers.addPeers(['DN'])).toEqual(['DN', 'HN']);
      expect(await suite.store.peers.addPeers([])).toEqual(['DN', 'HN']);
      expect(await suite.store.peers.forgetPeer('DN')).toBe(true);
      expect(await suite.store.peers.forgetPeer('DN')).toBe(false);
      expect(await suite.store.peers.addPeers([])).toEqual(['HN']);
    });

    it('is turned by the leader only, and asks for it with the tick', async () => {
      await setPeers('HN');
      const leader = await lead();
      await suite.underTest.changeEpoch();
      const report = await suite.store.tick(leader.session, TTL_MS, loadOf({ leading: { term: leader.term, worked: true } }));
      expect(report).toMatchObject({ gateNeedsTurn: true, gateShut: true });
      expect(await turn({ ...leader, term: leader.term + 1 })).toEqual({ state: 'not_leader', marked: 0 });
      const other = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await turn({ ...leader, session: other })).toEqual({ state: 'not_leader', marked: 0 });
      expect(await turn(leader)).toEqual({ state: 'closed', marked: 0 });
      const { round } = (await suite.store.peers.readPulse()).gate;
      await suite.store.peers.noteCompared('HN', round);
      const after = await suite.store.tick(leader.session, TTL_MS, loadOf({ leading: { term: leader.term, worked: true } }));
      expect(after).toMatchObject({ gateNeedsTurn: false, gateShut: false });
    });

    it('after the time limit it opens, with a mark on what was not compared; comparing later resolves the mark', async () => {
      await setPeers('HN', 'DN');
      const leader = await lead();
      const held = await accept(true);
      await suite.underTest.changeEpoch();
      await turn(leader);
      const { round } = (await suite.store.peers.readPulse()).gate;
      await suite.store.peers.noteCompared('HN', round);
      expect(await turn(leader)).toEqual({ state: 'closed', marked: 0 });
      const { state, marked } = await turn(leader, -1);
      expect(state).toBe('forced');
      expect(marked).toBeGreaterThan(0);
      expect((await suite.store.peers.readPulse()).gate.open).toBe(true);
      const marks = await suite.second.peers.listConflicts({ all: false, limit: 10 });
      expect(marks.find(({ orderId }) => orderId === held)).toMatchObject({ kind: 'not_compared', missing: ['DN'], resolvedAt: null });
      expect(await claimable(leader.session, held)).toBe(true);
      await suite.store.peers.noteCompared('DN', round);
      expect(await suite.store.peers.listConflicts({ all: false, limit: 10 })).toEqual([]);
      const resolved = (await suite.store.peers.listConflicts({ all: true, limit: 100 })).find(({ orderId }) => orderId === held);
      expect(resolved).toMatchObject({ missing: [], resolvedBy: 'conveyor', resolution: 'compared later' });
    });
  });
}

function describeConflicts(suite: Suite): void {
  describe('conflicts', () => {
    it('are recorded once, paged newest first, and resolved once', async () => {
      const [orderId, otherOrderId] = [idElsewhere(), idElsewhere()];
      const conflict = { kind: 'both_processed', customerId: 'user', key: freshKey(), orderId, otherOrderId } as const;
      await suite.store.peers.recordConflict(conflict);
      await suite.second.peers.recordConflict(conflict);
      await suite.store.peers.recordConflict({ ...conflict, kind: 'other_body' });
      const [newest, second] = await suite.store.peers.listConflicts({ all: false, limit: 10 });
      expect(newest).toMatchObject({ ...conflict, kind: 'other_body', missing: [], resolvedAt: null, resolvedBy: null });
      expect(second).toMatchObject(conflict);
      const page = await suite.store.peers.listConflicts({ all: false, limit: 1, beforeId: newest?.id ?? '' });
      expect(page.map(({ id }) => id)).toEqual([second?.id]);
      const ops = { actor: 'ops', reason: 'refunded' };
      expect(await suite.store.peers.resolveConflict(second?.id ?? '', ops)).toMatchObject({ id: second?.id, resolvedBy: 'ops' });
      expect(await suite.second.peers.resolveConflict(second?.id ?? '', ops)).toBeUndefined();
      expect(await suite.store.peers.resolveConflict(randomUUID(), ops)).toBeUndefined();
      const entries = (await suite.store.operations.listInterventions({ limit: 10 })).filter(({ target }) => target === second?.id);
      expect(entries).toMatchObject([{ action: 'conflict.resolve', actor: 'ops', reason: 'refunded' }]);
      const resolved = (await suite.store.peers.listConflicts({ all: true, limit: 10 })).find(({ id }) => id === second?.id);
      expect(resolved).toMatchObject({ resolvedBy: 'ops', resolution: 'refunded', resolvedAt: expect.any(Number) });
    });
  });
}

function describeShared(suite: Suite): void {
  describe('what belongs to the whole cluster', () => {
    const flag = (changes: object) => ({
      ...{ name: `W${randomUUID().slice(0, 8)}`, disabled: true, version: 2, changedAt: 1_800_000_000_000, changedBy: 'ops' },
      ...{ reason: 'maintenance "soon"', ...changes },
    });

    it('flags: the higher version wins, then the later change; the pulse shows them', async () => {
      const first = flag({});
      await suite.store.peers.importShared({ ...NONE, flags: [first] });
      const older = { ...first, disabled: false, version: 1 };
      await suite.second.peers.importShared({ ...NONE, flags: [older, { ...first, changedAt: first.changedAt - 1, disabled: false }] });
      const read = async () => (await suite.store.peers.readPulse()).flags.find(({ name }) => name === first.name);
      expect(await read()).toEqual(first);
      const newer = { ...first, disabled: false, version: 3, reason: null };
      await suite.second.peers.importShared({ ...NONE, flags: [newer] });
      expect(await read()).toEqual(newer);
      expect((await suite.store.peers.exportShared()).flags).toContainEqual(newer);
    });

    it('settings: the higher version wins, then the later change; the pulse shows them', async () => {
      const first = { name: `s ${randomUUID()}`, value: { a: ['"', 1] }, version: 2, changedAt: 1_800_000_000_000, changedBy: 'ops' };
      await suite.store.peers.importShared({ ...NONE, settings: [first] });
      const lower = [
        { ...first, version: 1, value: 1 },
        { ...first, changedAt: first.changedAt - 1, value: 2 },
      ];
      for (const one of lower) await suite.second.peers.importShared({ ...NONE, settings: [one] });
      const read = async () => (await suite.store.peers.readPulse()).settings.find(({ name }) => name === first.name);
      expect(await read()).toEqual(first);
      const newer = { ...first, version: 3, value: null, changedBy: 'x' };
      await suite.second.peers.importShared({ ...NONE, settings: [{ ...newer, value: false }] });
      expect((await suite.store.peers.exportShared()).settings).toContainEqual({ ...newer, value: false });
    });

    it('leases: one holder at a time, extended by itself, taken when it has run out; what it shows stays', async () => {
      const name = `lease ${randomUUID()}`;
      expect(await suite.store.peers.readLease(name)).toBeUndefined();
      const take = (holder: string, ttlMs: number, detail: Json = null) => suite.store.peers.takeLease({ name, holder, ttlMs, detail });
      const all = await Promise.all(['a', 'b', 'c'].map((holder) => take(holder, 60_000, { by: holder })));
      const { holder } = all[0] as { holder: string };
      expect(all.every((one) => one.holder === holder && one.leaseMs > 0)).toBe(true);
      const other = holder === 'a' ? 'b' : 'a';
      expect((await take(other, 60_000)).holder).toBe(holder);
      expect(await take(holder, -1)).toMatchObject({ holder, detail: { by: holder } });
      expect(await suite.second.peers.readLease(name)).toMatchObject({ holder, leaseMs: expect.any(Number) });
      expect(await take(other, 60_000)).toMatchObject({ holder: other, detail: { by: holder } });
      expect(await take(other, 60_000, { tick: 7 })).toMatchObject({ detail: { tick: 7 } });
    });

    it('tokens: missing ones are added, a revoked one is revoked, none comes back to life', async () => {
      const token = (name: string) => ({
        ...{ tokenId: randomUUID(), name, role: 'customer' as const, hash: randomBytes(32), createdAt: 1_800_000_000_000 },
        revokedAt: null as number | null,
      });
      const [one, two] = [token('one'), token('two')];
      await suite.store.peers.importShared({ ...NONE, tokens: [one, two] });
      await suite.store.peers.importShared({ ...NONE, tokens: [{ ...one, revokedAt: 1_800_000_001_000 }, two] });
      await suite.store.peers.importShared({ ...NONE, tokens: [one, two] });
      const found = await suite.second.tokens.find([one.hash, two.hash]);
      expect(found).toMatchObject([
        { tokenId: one.tokenId, revokedAt: 1_800_000_001_000 },
        { tokenId: two.tokenId, revokedAt: null },
      ]);
      const exported = await suite.store.peers.exportShared();
      expect(exported.tokens.find(({ tokenId }) => tokenId === two.tokenId)).toEqual(two);
    });
  });
}
