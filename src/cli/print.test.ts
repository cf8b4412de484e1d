import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Column, FORMATS, renderData, renderPairs } from './print.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

interface Row {
  id: string;
  name: string;
}

const COLUMNS: Column<Row>[] = [
  { title: 'ID', text: (row) => row.id },
  { title: 'NAME', text: (row) => row.name },
  { title: 'BOTH', text: (row) => `${row.id}/${row.name}`, wide: true },
];

const render = (rows: Row[], format: (typeof FORMATS)[number]) =>
  renderData({ document: { rows }, rows, columns: COLUMNS, empty: 'No rows.' }, format);

const ROWS = [
  { id: '1', name: 'Ada' },
  { id: '22', name: 'Bob' },
];

describe('data for people', () => {
  it('is an aligned table', () => {
    expect(render(ROWS, 'table')).toBe('ID  NAME\n1   Ada\n22  Bob\n');
  });

  it('has more columns when it may be wide', () => {
    expect(render(ROWS, 'wide')).toBe('ID  NAME  BOTH\n1   Ada   1/Ada\n22  Bob   22/Bob\n');
  });

  it('says so when there is none', () => {
    expect(render([], 'table')).toBe('No rows.\n');
  });

  it('may be pairs under each other', () => {
    expect(
      renderPairs(
        [
          ['API', 'http://x'],
          ['Health', 'y'],
        ],
        '  ',
      ),
    ).toBe('  API     http://x\n  Health  y\n');
  });
});

describe('data for programs', () => {
  it('is what it was, in every format', () => {
    expect(JSON.parse(render(ROWS, 'json'))).toEqual({ rows: ROWS });
    expect(parse(render(ROWS, 'yaml'))).toEqual({ rows: ROWS });
    expect(
      render(ROWS, 'jsonl')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(ROWS);
  });
});

describe('hostile data', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.constantFrom('\u001b[31mred', '\u009b2J', '\r\nforged line', '\u202egnp.exe', '\u2028', '\u0007', '- yaml: &x', "'", '#', '\u007f'),
  );

  it.each(FORMATS)('reaches no terminal as a command, and no line of its own (%s)', (format) => {
    fc.assert(
      fc.property(hostile, hostile, (id, name) => {
        const text = render([{ id, name }], format);
        expect(text).not.toMatch(CONTROLS);
        if (format === 'table' || format === 'wide') expect(text.split('\n')).toHaveLength(3);
      }),
    );
  });

  it('reads back as it was from JSON and YAML', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, hostile), (document) => {
        const data = { document, rows: [], columns: [], empty: '' };
        expect(JSON.parse(renderData(data, 'json'))).toEqual(JSON.parse(JSON.stringify(document)));
        expect(parse(renderData(data, 'yaml'))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });
});
