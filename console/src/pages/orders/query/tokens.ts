/** The words of the search box: `status:failed`, `customer:"An Nguyễn"`, `0199f3c2`. Pure. */
export interface Token {
  /** Where it stands in the text. */
  start: number;
  end: number;
  /** What is before the colon; absent for a bare word. */
  name?: string;
  /** What is meant, without quotes. */
  value: string;
  isQuoted: boolean;
  /** What is wrong with its quotes. */
  fault?: 'open' | 'trailing';
}

const NAME = /([a-z_]+):/iy;
const BARE = /\S*/y;
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)("?)/y;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const token = readToken(text, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function readToken(text: string, start: number): Token {
  const name = match(NAME, text, start)?.[1];
  const from = name === undefined ? start : start + name.length + 1;
  const quoted = match(QUOTED, text, from);
  if (!quoted) {
    const value = match(BARE, text, from)?.[0] ?? '';
    return { start, end: from + value.length, ...named(name), value, isQuoted: false };
  }
  const closed = from + quoted[0].length;
  const trailing = match(BARE, text, closed)?.[0] ?? '';
  const fault = quoted[2] === '' ? 'open' : trailing === '' ? undefined : 'trailing';
  const value = (quoted[1] ?? '').replaceAll(/\\([\s\S])/g, '$1');
  return { start, end: closed + trailing.length, ...named(name), value, isQuoted: true, ...(fault ? { fault } : {}) };
}

function named(name: string | undefined): Pick<Token, 'name'> {
  return name === undefined ? {} : { name: name.toLowerCase() };
}

function skipSpace(text: string, at: number): number {
  return at + (match(/\s*/y, text, at)?.[0].length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A value as `tokenize` reads it back. */
export function quote(value: string): string {
  return value === '' || /[\s"]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value;
}
