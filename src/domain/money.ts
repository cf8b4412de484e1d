/**
 * Amounts of money are decimal texts outside and whole millionths inside: no binary fraction comes near them, and sums are exact
 * whatever they grow to.
 */
const MILLION = 1_000_000n;
const MIN_PLACES = 2;

/** With two to six places. */
export function formatMillionths(millionths: bigint): string {
  const places = String(millionths % MILLION).padStart(6, '0');
  let end = places.length;
  while (end > MIN_PLACES && places[end - 1] === '0') end -= 1;
  return `${millionths / MILLION}.${places.slice(0, end)}`;
}

/** Of a decimal number that is not negative; what is beyond six places is left out. */
export function toMillionths(text: string): bigint {
  const [whole = '0', places = ''] = text.split('.');
  return BigInt(whole) * MILLION + BigInt(places.padEnd(6, '0').slice(0, 6));
}
