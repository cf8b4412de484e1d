import { ConveyorError, WarehouseAway } from '#domain/errors.ts';
import type { Store } from '#engine/store.ts';

/**
 * Whether a warehouse answers, for everyone who wants something of it. While it is away every call is refused at once; calls
 * that wait when it goes away are refused then, with their outcome open. So nobody waits for a database that does not answer.
 */
export class Presence {
  private readonly warehouse: string;
  private readonly onTrouble: () => void;
  private reason: string | undefined = 'it was not asked yet';
  private readonly waiting = new Set<(error: ConveyorError) => void>();

  /** `onTrouble`: a call failed as if the database were away; worth a look. */
  constructor(warehouse: string, onTrouble: () => void) {
    this.warehouse = warehouse;
    this.onTrouble = onTrouble;
  }

  get isHere(): boolean {
    return this.reason === undefined;
  }

  get awayBecause(): string | undefined {
    return this.reason;
  }

  leave(reason: string): void {
    this.reason = reason;
    const error = new ConveyorError('warehouse-unavailable', `warehouse ${this.warehouse} went away (${reason}); the outcome is open`);
    for (const refuse of this.waiting) refuse(error);
    this.waiting.clear();
  }

  comeBack(): void {
    this.reason = undefined;
  }

  call<Result>(make: () => Promise<Result>): Promise<Result> {
    if (this.reason !== undefined) return Promise.reject(new WarehouseAway(this.warehouse, this.reason));
    return new Promise<Result>((resolve, reject) => {
      this.waiting.add(reject);
      make().then(
        (result) => {
          this.waiting.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          this.waiting.delete(reject);
          if (error instanceof ConveyorError && error.code === 'warehouse-unavailable') this.onTrouble();
          reject(error);
        },
      );
    });
  }
}

/** The same store, each of whose calls goes through the presence; closing it does not. */
export function guardStore(store: Store, presence: Presence): Store {
  return guard(store, presence, new Set(['warehouse', 'close']));
}

function guard<Target extends object>(target: Target, presence: Presence, open: ReadonlySet<string> = new Set()): Target {
  const guarded = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof name === 'symbol' || open.has(name)) return typeof value === 'function' ? value.bind(target) : value;
      const known = guarded.get(name) ?? wrap(target, value, presence);
      guarded.set(name, known);
      return known;
    },
  });
}

function wrap(target: object, value: unknown, presence: Presence): unknown {
  if (typeof value === 'object' && value !== null) return guard(value, presence);
  if (typeof value !== 'function') return value;
  return (...args: unknown[]) => presence.call(() => value.apply(target, args) as Promise<unknown>);
}
