/**
 * The password of an address (`postgres://name:password@host`) and Conveyor's own access tokens, wherever they stand in a
 * text: drivers put addresses into messages, people put tokens into names. Stops at a quote, so that JSON stays JSON, and
 * every repetition is bounded, so that no text makes it slow.
 */
const ADDRESS_PASSWORD = /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/"\\]{0,200}:)[^\s@"\\]{1,500}@/gi;
const ACCESS_TOKEN = /\bcvy_[A-Za-z0-9_-]{20,}/g;

export function maskSecrets(text: string): string {
  return text.replace(ADDRESS_PASSWORD, '$1***@').replace(ACCESS_TOKEN, 'cvy_***');
}

/** Control characters, line separators, and the marks that reorder text: what could forge a line or hide a part of it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The same text on one line: each such character as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
