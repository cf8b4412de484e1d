import { ORDER_STATUSES } from '#domain/order-state.ts';
import { isIdBeginning, QUALIFIERS, type QualifierName, qualifierOf } from './qualifiers.ts';
import { quote, type Token, tokenize } from './tokens.ts';

/** What the search box offers while one types. Pure. */

/** What is known of the system just now. */
export interface Vocabulary {
  warehouses: readonly string[];
  regions: readonly string[];
  steps: readonly string[];
  nodes: readonly { id: string; name: string; warehouse: string }[];
}

export interface Suggestion {
  label: string;
  says: string;
  /** The whole text of the box once it is taken, and where the caret goes. */
  text: string;
  caret: number;
}

const MOST = 12;
const SPANS = ['5m', '15m', '1h', '6h', '24h', '7d'];
const UNITS = [
  ['m', 'minutes'],
  ['h', 'hours'],
  ['d', 'days'],
] as const;

/** What may be meant at the caret, likeliest first. */
export function suggest(text: string, caret: number, vocabulary: Vocabulary): Suggestion[] {
  const tokens = tokenize(text);
  const token = tokens.find(({ start, end }) => start < caret && caret <= end);
  if (!token) return suggestNames('', tokens, { text, start: caret, end: caret });
  const [typed] = tokenize(text.slice(token.start, caret));
  const place = { text, start: token.start, end: token.end };
  if (typed?.name === undefined) {
    return [...suggestNames(typed?.isQuoted ? undefined : (typed?.value ?? ''), tokens, place), ...suggestMeanings(text, tokens)];
  }
  const name = qualifierOf(typed.name);
  return name ? suggestValues(name, typed.value, vocabulary, place) : [];
}

interface Place {
  text: string;
  start: number;
  end: number;
}

function replace({ text, start, end }: Place, by: string): Pick<Suggestion, 'text' | 'caret'> {
  const rest = text.slice(end);
  const joined = by.endsWith(' ') ? rest.trimStart() : rest;
  return { text: `${text.slice(0, start)}${by}${joined}`, caret: start + by.length };
}

function suggestNames(beginning: string | undefined, tokens: readonly Token[], place: Place): Suggestion[] {
  if (beginning === undefined) return [];
  const used = new Set(tokens.map(({ name }) => name !== undefined && qualifierOf(name)));
  return (Object.keys(QUALIFIERS) as QualifierName[])
    .filter((name) => name.startsWith(beginning.toLowerCase()) && !used.has(name))
    .map((name) => ({ label: `${name}:`, says: QUALIFIERS[name].says, ...replace(place, `${name}:`) }));
}

/** What bare words can be: they are asked for together, since names have spaces. */
function suggestMeanings(text: string, tokens: readonly Token[]): Suggestion[] {
  const bare = tokens.filter(({ name }) => name === undefined);
  const words = bare.map(({ value }) => value).join(' ');
  if (words === '') return [];
  const others = tokens
    .filter(({ name }) => name !== undefined)
    .map(({ start, end }) => `${text.slice(start, end)} `)
    .join('');
  const names: QualifierName[] = ['customer', 'tracking', 'symbol'];
  return (isIdBeginning(words) ? (['id', ...names] as const) : names)
    .filter((name) => QUALIFIERS[name].read(words).fault === undefined)
    .map((name) => {
      const whole = `${others}${name}:${quote(words)} `;
      return { label: `${name}:${quote(words)}`, says: QUALIFIERS[name].says, text: whole, caret: whole.length };
    });
}

interface Offer {
  value: string;
  label?: string;
  says: string;
}

function suggestValues(name: QualifierName, beginning: string, vocabulary: Vocabulary, place: Place): Suggestion[] {
  const begins = beginning.toLowerCase();
  return offersOf(name, beginning, vocabulary)
    .filter(({ value, label }) => value.toLowerCase().startsWith(begins) || label?.toLowerCase().includes(begins))
    .slice(0, MOST)
    .map(({ value, label = value, says }) => ({ label: `${name}:${label}`, says, ...replace(place, `${name}:${quote(value)} `) }));
}

function offersOf(name: QualifierName, typed: string, { warehouses, regions, steps, nodes }: Vocabulary): Offer[] {
  switch (name) {
    case 'status':
      return ORDER_STATUSES.map((value) => ({ value, says: STATUS_SAYS[value] }));
    case 'region':
      return regions.map((value) => ({ value, says: 'region' }));
    case 'warehouse':
      return warehouses.map((value) => ({ value, says: 'warehouse' }));
    case 'step':
      return steps.map((value) => ({ value, says: 'step' }));
    case 'node':
      return nodes.map(({ id, name: label, warehouse }) => ({ value: id, label, says: `node of ${warehouse}` }));
    case 'since':
    case 'until':
      return spansOf(typed).map((value) => ({
        value,
        says: name === 'since' ? `accepted in the last ${inWords(value)}` : `accepted more than ${inWords(value)} ago`,
      }));
    default:
      return [];
  }
}

const STATUS_SAYS: Readonly<Record<(typeof ORDER_STATUSES)[number], string>> = {
  queued: 'waits for a slot or a retry',
  processing: 'a slot works it',
  rolling_back: 'is being undone',
  completed: 'ended well',
  failed: 'ended, everything undone',
  cancelled: 'ended by hand, everything undone',
  needs_attention: 'stopped for a person',
  held: 'kept for later use',
};

/** The usual spans, or the typed number with every unit. */
function spansOf(typed: string): string[] {
  const number = /^\d{1,4}$/.exec(typed)?.[0];
  const usual = SPANS.filter((span) => span.startsWith(typed));
  return number ? [...new Set([...usual, ...UNITS.map(([unit]) => `${number}${unit}`)])] : usual;
}

function inWords(span: string): string {
  const [, word = ''] = UNITS.find(([unit]) => span.endsWith(unit)) ?? [];
  const count = Number.parseInt(span, 10);
  return count === 1 ? word.slice(0, -1) : `${count} ${word}`;
}
