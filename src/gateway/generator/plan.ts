import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_PACE_MS, MIN_PACE_MS } from '#domain/generator-pace.ts';
import type { Json } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import type { EpochMs } from '#domain/time.ts';

/** What the generator does: an order for each tick, the same whoever places it. Pure. */

export const GENERATOR = 'generator';
/** Whose orders they are. */
export const GENERATOR_CUSTOMER = 'generator';

const State = Type.Object({
  running: Type.Boolean(),
  every_ms: Type.Integer({ minimum: MIN_PACE_MS, maximum: MAX_PACE_MS }),
  /** The moment of tick 0. */
  started_at: Type.Integer({ minimum: 0 }),
});

export type GeneratorState = Static<typeof State>;

/** As it stands in the settings of the cluster; `undefined` where it was never started, or where that makes no sense. */
export function readGeneratorState(value: Json | undefined): GeneratorState | undefined {
  return Value.Check(State, value) ? value : undefined;
}

/** What was missed longer ago than so many ticks stays missed. */
const CATCH_UP_TICKS = 5;

/** The ticks that are due and not placed yet, oldest first. */
export function dueTicks({ started_at, every_ms }: GeneratorState, now: EpochMs, lastPlaced: number): number[] {
  const latest = Math.floor((now - started_at) / every_ms);
  const first = Math.max(0, lastPlaced + 1, latest - CATCH_UP_TICKS + 1);
  return latest < first ? [] : Array.from({ length: latest - first + 1 }, (_, index) => first + index);
}

/** Milliseconds from now to the next tick. */
export function untilNextTick({ started_at, every_ms }: GeneratorState, now: EpochMs): number {
  return now < started_at ? started_at - now : every_ms - ((now - started_at) % every_ms);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const MAX_QUANTITY = 10;

/** The order of a tick: chance that follows from the tick, so that two who place it place the same. */
export function orderOfTick(
  { started_at }: GeneratorState,
  tick: number,
  regions: readonly string[],
): { key: string; content: OrderContent } {
  const key = `generator-${started_at}-${tick}`;
  const chance = createHash('sha256').update(key).digest();
  const pick = (index: number, below: number): number => chance.readUInt32BE(index * 4) % below;
  const symbol = [0, 1, 2].map((index) => LETTERS[pick(index, LETTERS.length)]).join('');
  const region = [...regions].sort()[pick(4, regions.length)];
  return { key, content: { symbol, quantity: 1 + pick(3, MAX_QUANTITY), ...(region === undefined ? {} : { region }) } };
}
