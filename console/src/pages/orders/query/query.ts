import { hasEnded } from '../../../parts/step-names.ts';
import { isIdBeginning, QUALIFIERS, type QualifierName, qualifierOf } from './qualifiers.ts';
import { quote, type Token, tokenize } from './tokens.ts';
import { isWhen, momentOf } from './when.ts';

/** What orders are looked for by; every part that is given must hold. */
export type OrderQuery = { readonly [Name in QualifierName]?: string };

export interface QueryFault {
  /** The part of the text that is wrong, as it was typed. */
  part: string;
  message: string;
}

export interface ParsedQuery {
  query: OrderQuery;
  faults: QueryFault[];
}

/** What `GET /orders` takes. */
export type OrderFilter = Readonly<Record<string, string>>;

/** The search box's text as a query. What is wrong is told and left out; a bare word is a beginning of an id or a customer. */
export function parseQuery(text: string, now: number = Date.now()): ParsedQuery {
  const query: { [Name in QualifierName]?: string } = {};
  const faults: QueryFault[] = [];
  const tokens = tokenize(text);
  const add = (name: QualifierName, value: string, part: string): void => {
    const verdict = query[name] === undefined ? QUALIFIERS[name].read(value) : { fault: `${name} is given twice; one is possible.` };
    if (verdict.fault === undefined) query[name] = verdict.value;
    else faults.push({ part, message: verdict.fault });
  };
  for (const token of tokens) {
    const part = text.slice(token.start, token.end);
    const message = faultOf(token);
    if (message) faults.push({ part, message });
    else if (token.name !== undefined) add(qualifierOf(token.name) as QualifierName, token.value, part);
  }
  const words = bareWords(tokens);
  if (words) add(words.name, words.value, words.value);
  return { query, faults: [...faults, ...contradictionsOf(query, now)] };
}

/** What bare words mean together: one that looks like the beginning of an id is one, all else is a customer's name. */
function bareWords(tokens: readonly Token[]): { name: 'id' | 'customer'; value: string } | undefined {
  const bare = tokens.filter(({ name, fault }) => name === undefined && fault === undefined);
  const [first] = bare;
  if (!first) return undefined;
  const isId = bare.length === 1 && !first.isQuoted && isIdBeginning(first.value);
  return { name: isId ? 'id' : 'customer', value: bare.map(({ value }) => value).join(' ') };
}

function faultOf({ name, value, isQuoted, fault }: Token): string | undefined {
  if (fault === 'open') return 'The closing quote is missing.';
  if (fault === 'trailing') return 'After the closing quote a space is expected.';
  if (name === undefined) return undefined;
  const qualifier = qualifierOf(name);
  if (!qualifier) {
    const all = Object.keys(QUALIFIERS).join(', ');
    return `Orders are not searched by “${name}”. Known are ${all}. To look for a customer of that name, put it in quotes.`;
  }
  if (value === '' && !isQuoted) return `A value is missing, as in ${QUALIFIERS[qualifier].example}.`;
  return undefined;
}

/** Parts that are right each, and together match nothing ever. */
function contradictionsOf(query: OrderQuery, now: number): QueryFault[] {
  const faults: QueryFault[] = [];
  const { status, since, until } = query;
  for (const name of ['step', 'node'] as const) {
    if (query[name] === undefined || status === undefined || !hasEnded({ status })) continue;
    faults.push({ part: `${name}:${quote(query[name])}`, message: `Only open orders are at a ${name}; ${status} ones have ended.` });
  }
  if (since !== undefined && until !== undefined && momentOf(since, now) >= momentOf(until, now))
    faults.push({ part: `since:${since} until:${until}`, message: 'Nothing is between the two: since must be earlier than until.' });
  return faults;
}

/** What the gateway found wrong with a query, such as a warehouse that it does not know. */
export function faultsIn(query: OrderQuery, errors: readonly { field: string; reason: string }[]): QueryFault[] {
  return errors.flatMap(({ field, reason }) => {
    const name = qualifierOf(field);
    const value = name && query[name];
    return value === undefined ? [] : [{ part: `${name}:${quote(value)}`, message: `${reason}.` }];
  });
}

/** The query as text, always in the same order; `parseQuery` reads it back. */
export function printQuery(query: OrderQuery): string {
  return (Object.keys(QUALIFIERS) as QualifierName[])
    .flatMap((name) => (query[name] === undefined ? [] : [`${name}:${quote(query[name])}`]))
    .join(' ');
}

/** What was understood, in the usual words; a text with faults as it was typed. */
export function canonicalSearch(text: string): string {
  const { query, faults } = parseQuery(text);
  return faults.length > 0 ? text.trim() : printQuery(query);
}

/** The query as the API takes it; spans of time become moments, counted back from `now`. */
export function filterOf(query: OrderQuery, now: number): OrderFilter {
  const entries = (Object.entries(query) as [QualifierName, string][]).map(([name, value]) => [
    QUALIFIERS[name].parameter,
    isWhen(name) ? new Date(momentOf(value, now)).toISOString() : value,
  ]);
  return Object.fromEntries(entries) as OrderFilter;
}

export function isEmptyQuery(query: OrderQuery): boolean {
  return Object.keys(query).length === 0;
}

/** The query that a filter of the API says. */
export function queryOfFilter(filter: OrderFilter): OrderQuery {
  const names = Object.keys(QUALIFIERS) as QualifierName[];
  return Object.fromEntries(names.map((name) => [name, filter[QUALIFIERS[name].parameter]]).filter(([, value]) => value !== undefined));
}
