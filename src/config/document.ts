import { writeFile } from 'node:fs/promises';
import { formatDuration } from '#domain/time.ts';
import type { SettingRow } from './setting-row.ts';
import { SETTING_NAMES, SETTINGS } from './settings.ts';

const HEAD = `# Settings

Written by \`node src/config/document.ts\` from the table in \`src/config/settings.ts\`; a test compares the two.

A setting comes from its flag, else from its environment variable, else from \`conveyor.config.ts\` in the current folder, else it
has its default. Durations are written \`250ms\`, \`5s\`, \`1m\`, \`2h\`, \`7d\`. A wrong setting stops the start with exit code 2 and one line that
names the setting, the value and what is allowed; all problems are reported at once.

\`\`\`ts
// conveyor.config.ts
import { defineConfig } from '#config/define.ts';

export default defineConfig({ stepDuration: '1s', failureRate: 0, slots: 100 });
\`\`\`

| flag | variable | in the file | type | default | allowed | |
| --- | --- | --- | --- | --- | --- | --- |
`;

const TAIL = `
The three settings of the lease depend on each other: the heartbeat is at most a third of the lease, the margin at least a tenth of it and less than
the lease without one heartbeat. So a node that loses its database stops before another may take its orders over.

The log is coloured on a terminal only, and never when \`NO_COLOR\` is set.
`;

const TYPE_NAMES: Record<SettingRow['kind'], string> = {
  duration: 'duration',
  integer: 'whole number',
  fraction: 'number',
  text: 'text',
  choice: 'choice',
  address: 'address',
  warehouses: 'databases',
  names: 'names',
  map: 'names',
};

/** The text of `docs/config.md`. */
export function renderConfigDocument(): string {
  return HEAD + SETTING_NAMES.map((name) => renderRow(SETTINGS[name])).join('') + TAIL;
}

function renderRow(row: SettingRow): string {
  const cells = [
    `\`--${row.flag}\``,
    `\`${row.variable}\``,
    row.config ? `\`${row.config}\`` : '',
    TYPE_NAMES[row.kind],
    row.default === undefined ? (row.otherwise ?? '') : `\`${row.default}\``,
    renderAllowed(row),
    row.sentence,
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function renderAllowed(row: SettingRow): string {
  switch (row.kind) {
    case 'duration':
      return `${formatDuration(row.min ?? 0)} to ${formatDuration(row.max ?? 0)}`;
    case 'integer':
    case 'fraction':
      return `${row.min} to ${row.max}`;
    case 'choice':
      return (row.choices ?? []).map((choice) => `\`${choice}\``).join(', ');
    case 'address':
      return 'http or https, without path and password';
    case 'warehouses':
      return 'names of 1 to 32 of `A-Z a-z 0-9 _ -`, each once; `postgres://` URLs, each database once';
    case 'names':
      return 'different names of 1 to 32 of `A-Z a-z 0-9 _ -`';
    case 'map':
      return '`NAME=VALUE,VALUE`, each name once';
    default:
      return row.allowed ?? '';
  }
}

if (import.meta.main) await writeFile(new URL('../../docs/config.md', import.meta.url), renderConfigDocument());
