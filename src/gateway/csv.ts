/** A cell that begins with one of these is a formula to spreadsheets, which then compute what a customer wrote. */
const FORMULA = /^[=+\-@\t\r]/;

/** One line of a table as RFC 4180 has it. A cell that a spreadsheet would take for a formula begins with an apostrophe instead. */
export function csvLine(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: string | number | undefined): string {
  const text = String(value ?? '');
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
