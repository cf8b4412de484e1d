import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE } from '#domain/errors.ts';
import { EVENT_KINDS } from '#domain/order-state.ts';

/** Rows of a document's table whose first cell is code, cell by cell. */
function rowsOf(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('the catalogues', () => {
  it('docs/errors.md says what src/domain/errors.ts says, no more and no less', () => {
    const expected = Object.entries(ERROR_CATALOGUE).map(([code, { status, title, retry, advice }]) => [
      `\`${code}\``,
      String(status),
      title,
      retry ? 'yes' : 'no',
      advice,
    ]);
    expect(rowsOf('docs/errors.md')).toEqual(expected);
  });

  it('docs/events.md has one row for each kind of event, in their order', () => {
    expect(rowsOf('docs/events.md').map(([kind]) => kind)).toEqual(EVENT_KINDS.map((kind) => `\`${kind}\``));
  });
});
