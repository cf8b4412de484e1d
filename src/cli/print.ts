import { styleText } from 'node:util';
import { stringify } from 'yaml';
import { escapeControls } from '#telemetry/redact.ts';

export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

export interface Column<Row> {
  title: string;
  /** May hold anything; it is made harmless before it is printed. */
  text: (row: Row) => string;
  /** Shown with `-o wide` only. */
  wide?: true;
  style?: (row: Row) => Style | undefined;
}

export type Style = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold';

/** Data of a command: as a whole for programs, as rows for people. */
export interface Data<Row> {
  document: unknown;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  /** What a table says instead of no rows. */
  empty: string;
}

/** Prints data on standard output in the chosen format. */
export function printData<Row>(data: Data<Row>, format: Format): void {
  process.stdout.write(renderData(data, format));
}

/** The same for a single thing. */
export function printRow<Row>(row: Row, columns: readonly Column<Row>[], format: Format): void {
  printData({ document: row, rows: [row], columns, empty: '' }, format);
}

export function renderData<Row>(data: Data<Row>, format: Format): string {
  switch (format) {
    case 'json':
      return `${renderJson(data.document, 2)}\n`;
    case 'jsonl':
      return data.rows.map((row) => `${renderJson(row)}\n`).join('');
    case 'yaml':
      return renderYaml(data.document);
    default:
      if (data.rows.length === 0) return `${data.empty}\n`;
      return renderTable(
        data.rows,
        data.columns.filter((column) => format === 'wide' || !column.wide),
      );
  }
}

/** Aligned columns under their titles; nothing follows the last one. */
function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => neutralise(column.text(row))));
  const widths = columns.map((column, index) => Math.max(column.title.length, ...cells.map((line) => (line[index] as string).length)));
  const head = columns.map((column, index) => paint('bold', pad(column.title, index)));
  const lines = cells.map((line, at) => line.map((cell, index) => paint(columns[index]?.style?.(rows[at] as Row), pad(cell, index))));
  return [head, ...lines].map((line) => `${line.join('  ').trimEnd()}\n`).join('');

  function pad(text: string, index: number): string {
    return index === columns.length - 1 ? text : text.padEnd(widths[index] as number);
  }
}

/** `label   value` lines with the values under each other. */
export function renderPairs(pairs: readonly (readonly [label: string, value: string])[], indent = ''): string {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  return pairs
    .map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** JSON escapes control characters below U+0020 only; the others would still reach the terminal. */
export function renderJson(document: unknown, indent?: number): string {
  return indent
    ? JSON.stringify(document, null, indent).split('\n').map(escapeControls).join('\n')
    : escapeControls(JSON.stringify(document));
}

/** Quotes everything where a text needs an escape, because only quoted YAML knows them. */
function renderYaml(document: unknown): string {
  const plain = stringify(document, { lineWidth: 0 });
  if (isHarmless(plain)) return plain;
  const quoted = stringify(document, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' });
  return `${quoted.trimEnd().split('\n').map(escapeControls).join('\n')}\n`;
}

function isHarmless(text: string): boolean {
  return text.split('\n').every((line) => escapeControls(line) === line);
}

/** A text from outside on one line, without anything that a terminal would obey. */
export function neutralise(text: string): string {
  return escapeControls(text);
}

/** Colour where standard output is a terminal and `NO_COLOR` is not set. */
export function paint(style: Style | undefined, text: string): string {
  return style === undefined ? text : styleText(style, text);
}

/** A line for people, on standard error; only its line breaks reach the terminal as they are. */
export function say(text: string): void {
  process.stderr.write(`${text.split('\n').map(neutralise).join('\n')}\n`);
}
