import { messageOf } from '#domain/errors.ts';
import type { OrderRecord } from '#domain/order.ts';
import type { Log } from '#engine/log.ts';
import type { KeyHolder, StoredKey } from '#engine/peer-store.ts';
import type { Warehouse, Warehouses } from './warehouses.ts';

const BATCH = 500;
/** More than a gate may hold: idle nodes look once more. */
const WAKE = 1_000;

/** Who cancels the second order of a key, in histories and in the audit. */
const ACTOR = 'conveyor';

/**
 * Carries keys between warehouses after an outage, and opens the gate of the one that was away. Any number of gateways may do
 * it at once: every step is safe to repeat, and what becomes of two orders of one key does not depend on who decides.
 */
export class KeyComparison {
  private readonly warehouses: Warehouses;
  private readonly log: Log;
  private readonly running = new Set<Warehouse>();

  constructor(warehouses: Warehouses, log: Log) {
    this.warehouses = warehouses;
    this.log = log;
  }

  /** After a look at a warehouse: does what has to be done there. Never rejects. */
  async follow(warehouse: Warehouse): Promise<void> {
    const { latest } = warehouse.watch;
    if (!latest || !warehouse.presence.isHere || this.running.has(warehouse)) return;
    this.running.add(warehouse);
    try {
      for (const home of this.warehouses.here) {
        if (latest.unsettledHomes.includes(home.name)) await this.settle(warehouse, home);
      }
      // What was marked because one could not be asked is settled when that one is back.
      if (!latest.gate.open || latest.openConflicts > 0) await this.compareWithAll(warehouse, latest.gate);
    } catch (error) {
      this.log.debug({ warehouse: warehouse.name, error: messageOf(error) }, 'keys could not be compared; trying again');
    } finally {
      this.running.delete(warehouse);
    }
  }

  /** Compares the warehouse with every other that answers and was not compared in this round. */
  private async compareWithAll(warehouse: Warehouse, { round, compared }: { round: number; compared: string[] }): Promise<void> {
    for (const peer of this.warehouses.here) {
      if (peer === warehouse || compared.includes(peer.name)) continue;
      const found = (await this.settle(peer, warehouse)) + (await this.settle(warehouse, peer));
      this.log.info({ warehouse: warehouse.name, peer: peer.name, keys: found }, 'keys compared after an outage');
      if (await warehouse.store.peers.noteCompared(peer.name, round)) await warehouse.store.wakeNodes(WAKE);
    }
  }

  /** Makes the home know the keys of its orders that another warehouse stored; how many there were. */
  private async settle(from: Warehouse, home: Warehouse): Promise<number> {
    let count = 0;
    for (;;) {
      const keys = await from.store.peers.listUnsettledKeys(home.name, BATCH);
      if (keys.length === 0) return count;
      const holders = await home.store.peers.adoptKeys(keys);
      for (const [index, key] of keys.entries()) {
        const holder = holders[index] as KeyHolder;
        if (holder.orderId !== key.orderId) await this.decide(home, from, key, holder);
      }
      await from.store.peers.settleKeys(keys);
      count += keys.length;
      if (keys.length < BATCH) return count;
    }
  }

  /**
   * One key, two orders: the one of `from` and the one that the home knows. Only one is to be processed. The older one is
   * cancelled, which undoes what it did; where it has ended already, the younger one. Where both have, a person decides.
   * Each cancel is decided by its own database under a lock, and always in this order: two who decide at once agree.
   */
  private async decide(home: Warehouse, from: Warehouse, key: StoredKey, holder: KeyHolder): Promise<void> {
    const known = await this.read(holder.orderId);
    if (!known) return home.store.peers.repointKey(key, holder.orderId, key.orderId);
    const conflict = { customerId: key.customerId, key: { kind: key.kind, key: key.key }, orderId: holder.orderId };
    if (!holder.bodyHash.equals(key.bodyHash))
      return home.store.peers.recordConflict({ ...conflict, kind: 'other_body', otherOrderId: key.orderId });
    const [older, younger] = key.orderId < holder.orderId ? [key.orderId, holder.orderId] : [holder.orderId, key.orderId];
    if ((await this.withdraw(older, younger)) === 'withdrawn') return this.leadTo(younger, home, from, key, holder);
    if ((await this.withdraw(younger, older)) === 'processed')
      await home.store.peers.recordConflict({ ...conflict, kind: 'both_processed', otherOrderId: key.orderId });
    return this.leadTo(older, home, from, key, holder);
  }

  /** The key leads to the order that is processed, in both warehouses. */
  private async leadTo(orderId: string, home: Warehouse, from: Warehouse, key: StoredKey, holder: KeyHolder): Promise<void> {
    if (orderId === key.orderId) await home.store.peers.repointKey(key, holder.orderId, orderId);
    else await from.store.peers.repointKey(key, key.orderId, orderId);
  }

  /** Cancels the order, whatever it does; `processed`: it completed or failed by itself, or is failing just now. */
  private async withdraw(orderId: string, favoured: string): Promise<'withdrawn' | 'processed'> {
    const { store, name } = this.warehouses.ofOrder(orderId);
    const reason = `its key was used for order ${favoured} while a warehouse was away`;
    const verdict = await store.cancelOrder({ orderId, customerId: undefined, actor: ACTOR, reason });
    if (verdict.outcome === 'refused' && verdict.status !== 'cancelled') return 'processed';
    this.log.warn({ warehouse: name, order: orderId, favoured }, 'one key, two orders: this one is cancelled');
    return 'withdrawn';
  }

  private async read(orderId: string): Promise<OrderRecord | undefined> {
    const [record] = await this.warehouses.ofOrder(orderId).store.readOrders([orderId]);
    return record;
  }
}
