import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isUuid } from '#domain/ids.ts';
import { microsOf, OUTBOX_BEGIN, type OutboxPlace } from '#engine/outbox.ts';

/** How far a follower has come, as the id of a message: the place in each warehouse's outbox, by the warehouse's name. */
export type Places = ReadonlyMap<string, OutboxPlace>;

const Micros = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const PlaceOf = Type.Union([
  Type.Tuple([Micros]),
  Type.Tuple([Micros, Type.Refine(Type.String(), isUuid), Type.Integer({ minimum: 0, maximum: 2_147_483_647 })]),
]);
const placesSchema = Compile(Type.Record(Type.String(), PlaceOf));

export function encodePlaces(places: Places): string {
  const parts = [...places].map(([warehouse, place]) => `${JSON.stringify(warehouse)}:${textOf(place)}`);
  return Buffer.from(`{${parts.join()}}`).toString('base64url');
}

/** `undefined` for what was not made by `encodePlaces`. */
export function decodePlaces(id: string): Places | undefined {
  if (!/^[\w-]+$/.test(id)) return undefined;
  const found = parse(Buffer.from(id, 'base64url').toString());
  if (!placesSchema.Check(found)) return undefined;
  return new Map(Object.entries(found).map(([warehouse, [micros, orderId, version]]) => [warehouse, placeOf(micros, orderId, version)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same places stand in many ids. */
const texts = new WeakMap<OutboxPlace, string>();

function textOf(place: OutboxPlace): string {
  const known = texts.get(place);
  if (known !== undefined) return known;
  const isMoment = place.orderId === OUTBOX_BEGIN.orderId && place.version === 0;
  const text = JSON.stringify(isMoment ? [microsOf(place)] : [microsOf(place), place.orderId, place.version]);
  texts.set(place, text);
  return text;
}

function placeOf(micros: number, orderId = OUTBOX_BEGIN.orderId, version = 0): OutboxPlace {
  const ms = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, -1);
  return { at: `${ms}${String(micros % 1_000).padStart(3, '0')}Z`, orderId, version };
}
