import { Command } from 'commander';
import { DATABASE_SETTINGS } from '../compose.ts';
import { withDatabases } from '../databases.ts';
import { addExamples, addOutput, addSettings, formatOf, type OutputOptions, readSettings } from '../options.ts';
import { type Column, printData } from '../print.ts';
import { openQuietSurroundings } from '../surroundings.ts';

interface Migrated {
  warehouse: string;
  applied: string[];
}

const COLUMNS: Column<Migrated>[] = [
  { title: 'WAREHOUSE', text: (row) => row.warehouse },
  { title: 'APPLIED', text: (row) => row.applied.join(', ') || 'nothing, it was up to date' },
];

export function migrateCommand(): Command {
  const command = new Command('migrate').description(
    "Bring the schema of every warehouse's database up to this version. Safe to run at any time, by many at once.",
  );
  addOutput(addSettings(command, DATABASE_SETTINGS));
  addExamples(
    command,
    'CONVEYOR_WAREHOUSES="HCM=postgres://conveyor:…@db1:5432/hcm" conveyor migrate',
    'conveyor migrate --data-dir .conveyor --json',
  );
  return command.action(async (options: OutputOptions) => {
    const { settings } = await readSettings(command, DATABASE_SETTINGS);
    const surroundings = openQuietSurroundings();
    const rows = await withDatabases(settings, surroundings, async (addresses) => {
      const { migrate } = await import('#store/postgres/migrate.ts');
      const migrated: Migrated[] = [];
      for (const { name, url } of addresses) migrated.push({ warehouse: name, ...(await migrate(url, name, surroundings.log)) });
      return migrated;
    });
    printData({ document: { warehouses: rows }, rows, columns: COLUMNS, empty: 'no warehouse' }, formatOf(options));
  });
}
