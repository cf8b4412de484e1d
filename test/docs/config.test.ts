import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderConfigDocument } from '#config/document.ts';
import { parseSetting } from '#config/parse.ts';
import type { SettingRow } from '#config/setting-row.ts';
import { SETTING_NAMES, SETTINGS } from '#config/settings.ts';

describe('docs/config.md', () => {
  it('is what the table of settings says', () => {
    const document = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');
    expect(document, 'run: node src/config/document.ts').toBe(renderConfigDocument());
  });
});

describe('the table of settings', () => {
  const rows: SettingRow[] = SETTING_NAMES.map((name) => SETTINGS[name]);

  it('names flag, variable and property alike', () => {
    for (const row of rows.filter(({ kind }) => kind !== 'warehouses')) {
      expect(row.variable).toBe(`CONVEYOR_${row.flag.toUpperCase().replaceAll('-', '_')}`);
      if (row.config) expect(row.config).toBe(row.flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
    }
  });

  it('has defaults that it allows itself, and says what happens without one', () => {
    for (const row of rows) {
      if (row.default === undefined) expect(row.otherwise).toBeTruthy();
      else expect(parseSetting(row, row.default)).toHaveProperty('value');
    }
  });

  it('has no cell that would break its document', () => {
    for (const row of rows) expect(`${row.sentence}${row.otherwise}${row.allowed}`).not.toMatch(/[|\n]/);
  });
});
