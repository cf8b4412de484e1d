import { createHash } from 'node:crypto';
import type { Because, Order } from '#domain/order.ts';

/** Which warehouse a new order goes to. Pure: what is known of the warehouses in, an order of preference out. */

export interface RoutingSettings {
  /** By region: the warehouses that take its orders when its own cannot, in this order. */
  fallback: ReadonlyMap<string, readonly string[]>;
  /** An order leaves its own warehouse when that has so many times the backlog per slot of another; 0: never. */
  rebalanceAt: number;
  /** The region of orders that name one that does not exist; `undefined`: they are refused. */
  defaultRegion: string | undefined;
}

/** What a gateway knows of a warehouse. */
export interface Candidate {
  name: string;
  health: 'OK' | 'no_nodes' | 'disabled' | 'unavailable';
  /** In words, where it is not OK. */
  trouble: string | undefined;
  /** Orders that wait or run. */
  backlog: number;
  /** Of live nodes. */
  slots: number;
}

export interface Preference {
  name: string;
  /** Null: it is the order's own, or there is no other. */
  because: Because | null;
}

export interface RoutingRequest {
  /** Where the order belongs: its region's warehouse, or that of its key. */
  home: string | undefined;
  /** Only its key says so: it leaves that warehouse more easily than its region's. */
  byKey: boolean;
  /** Of the order's key: the same key prefers the same warehouses, whoever asks. */
  spread: string | undefined;
}

/** A warehouse that has less than this to do for each of its slots is not overloaded, whatever the others have. */
const BUSY_BACKLOG_PER_SLOT = 2;
/** `rebalanceAt` of orders without a region. */
const REBALANCE_BY_KEY_AT = 1.25;

/** Warehouses that can take the order, the best first; empty when none answers. */
export function rankWarehouses(
  { home, byKey, spread }: RoutingRequest,
  candidates: readonly Candidate[],
  settings: RoutingSettings,
  random: () => number,
): Preference[] {
  const own = candidates.find(({ name }) => name === home);
  const others = candidates.filter((candidate) => candidate !== own);
  const healthy = rankHealthy(own, others, settings, spread, random);
  const answering = others.filter(({ health }) => health === 'no_nodes' || health === 'disabled').sort(byHealth);
  if (!own) return [...healthy.map((candidate) => becauseLeast(candidate, candidates)), ...lastResorts(answering)];
  const [best] = healthy;
  const asHome: Preference = { name: own.name, because: null };
  const elsewhere = healthy.map((candidate) => fallbackTo(own, candidate, settings));
  if (own.health === 'OK' && best && isOverloaded(own, best, byKey ? REBALANCE_BY_KEY_AT : settings.rebalanceAt))
    return [rebalanceTo(own, best), asHome, ...elsewhere.slice(1), ...lastResorts(answering)];
  if (own.health === 'OK') return [asHome, ...elsewhere, ...lastResorts(answering)];
  return [...elsewhere, ...(own.health === 'unavailable' ? [] : [homeAsLastResort(own)]), ...lastResorts(answering)];
}

/** Those of the fallback list first, then the others: by key, or the less loaded of two that chance picks. */
function rankHealthy(
  own: Candidate | undefined,
  others: readonly Candidate[],
  settings: RoutingSettings,
  spread: string | undefined,
  random: () => number,
): Candidate[] {
  const healthy = others.filter(({ health }) => health === 'OK');
  const listed = (own && settings.fallback.get(own.name)) ?? [];
  const first = listed.flatMap((name) => healthy.find((candidate) => candidate.name === name) ?? []);
  const rest = healthy.filter((candidate) => !first.includes(candidate));
  return [
    ...first,
    ...(spread === undefined ? twoChoices(rest, random) : rest.sort((a, b) => (weigh(spread, a.name) < weigh(spread, b.name) ? -1 : 1))),
  ];
}

/**
 * The less loaded of two random ones, then the others by their load. Always taking the least loaded of all would send every
 * gateway's orders to the same one until it is counted again.
 */
function twoChoices(candidates: readonly Candidate[], random: () => number): Candidate[] {
  const shuffled = candidates.map((candidate) => ({ candidate, turn: random() })).sort((a, b) => a.turn - b.turn);
  const [one, other, ...rest] = shuffled.map(({ candidate }) => candidate);
  if (!one || !other) return one ? [one] : [];
  return loadOf(other) < loadOf(one) ? [other, ...[one, ...rest].sort(byLoad)] : [one, ...[other, ...rest].sort(byLoad)];
}

/** The home of a key of an order without a region: the same for everyone who knows the same warehouses. */
export function homeOfKey(spread: string, names: readonly string[]): string | undefined {
  return [...names].sort((a, b) => (weigh(spread, a) < weigh(spread, b) ? -1 : 1))[0];
}

/** Rendezvous hashing: each name has a place of its own in the order of each key. */
function weigh(spread: string, name: string): string {
  return createHash('sha256').update(`${name}\n${spread}`).digest('hex');
}

/** Backlog per live slot. */
export function loadOf({ backlog, slots }: Pick<Candidate, 'backlog' | 'slots'>): number {
  return slots > 0 ? backlog / slots : Number.POSITIVE_INFINITY;
}

/** Whether it takes its own orders whatever the others have to do. */
export function isAtEase(candidate: Candidate): boolean {
  return candidate.health === 'OK' && loadOf(candidate) < BUSY_BACKLOG_PER_SLOT;
}

function byLoad(a: Candidate, b: Candidate): number {
  return Math.min(loadOf(a), Number.MAX_VALUE) - Math.min(loadOf(b), Number.MAX_VALUE);
}

function byHealth(a: Candidate, b: Candidate): number {
  return Number(a.health === 'disabled') - Number(b.health === 'disabled') || a.backlog - b.backlog;
}

function isOverloaded(own: Candidate, other: Candidate, rebalanceAt: number): boolean {
  return rebalanceAt > 0 && loadOf(own) >= BUSY_BACKLOG_PER_SLOT && loadOf(own) > rebalanceAt * loadOf(other);
}

function rebalanceTo(own: Candidate, other: Candidate): Preference {
  const ratio = loadOf(own) / loadOf(other);
  const times = Number.isFinite(ratio) ? `${ratio.toFixed(1)} times the backlog of ${other.name}` : `a backlog, ${other.name} has none`;
  return { name: other.name, because: { code: 'rebalanced', message: `${own.name} has ${times}` } };
}

function fallbackTo(own: Candidate, { name }: Candidate, { fallback }: RoutingSettings): Preference {
  const how = fallback.get(own.name)?.includes(name) ? `its fallback list names ${name}` : `${name} is healthy`;
  return { name, because: { code: 'fallback', message: `${own.name} ${own.trouble ?? 'did not take it'}; ${how}` } };
}

function becauseLeast({ name }: Candidate, candidates: readonly Candidate[]): Preference {
  if (candidates.length === 1) return { name, because: null };
  return { name, because: { code: 'least_loaded', message: `it names no region; ${name} had little to do` } };
}

/** Of an order that is stored: in words also where nothing had to be written down. */
export function explainRouting(order: Pick<Order, 'routedBecause' | 'content'> & { retryOf?: string | null }, warehouse: string): Because {
  if (order.routedBecause) return order.routedBecause;
  const { region } = order.content;
  if (region === warehouse) return { code: 'home', message: `${warehouse} is its region's warehouse` };
  if (order.retryOf) return { code: 'retry', message: `it repeats order ${order.retryOf}, which is in ${warehouse}` };
  return { code: 'only', message: `${warehouse} was the only warehouse` };
}

function homeAsLastResort({ name, trouble }: Candidate): Preference {
  return { name, because: { code: 'home', message: `it belongs to ${name}, which ${trouble}; no other warehouse is healthy` } };
}

function lastResorts(answering: readonly Candidate[]): Preference[] {
  return answering.map(({ name, trouble }) => ({
    name,
    because: { code: 'last_resort', message: `no warehouse is healthy; ${name} at least stores it, though it ${trouble}` },
  }));
}
