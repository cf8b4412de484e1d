import { hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConfigFile } from '#config/define.ts';
import { readConfigFile } from '#config/file.ts';
import { givenSettings, loadSettings } from '#config/load.ts';
import type { SettingRow } from '#config/setting-row.ts';
import { SETTINGS, type SettingName, type Settings } from '#config/settings.ts';
import { formatDuration, parseDuration } from '#domain/time.ts';
import { FORMATS, type Format } from './print.ts';

/** Gives a command the flags of these settings; their values are read by `readSettings`, together with the other sources. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) command.addOption(settingOption(SETTINGS[name]));
  return command;
}

function settingOption(row: SettingRow): Option {
  const preset = row.default === undefined ? row.otherwise : row.default;
  const choices = row.choices ? ` One of ${row.choices.join(', ')}.` : '';
  const description = `${row.sentence.replaceAll('`', '')}${choices} [${row.variable}${preset === undefined ? '' : `, default: ${preset.replaceAll('`', '')}`}]`;
  const option = new Option(`--${row.flag} <${placeholderOf(row)}>`, description);
  if (row.kind !== 'warehouses' && row.kind !== 'map') return option;
  return option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}

function placeholderOf(row: SettingRow): string {
  const placeholders: Record<SettingRow['kind'], string> = {
    duration: 'duration',
    integer: 'number',
    fraction: 'number',
    text: row.flag,
    choice: row.flag.replace(/^.*-/, ''),
    address: 'url',
    warehouses: 'NAME=URL',
    names: 'names',
    map: 'NAME=VALUES',
  };
  return placeholders[row.kind];
}

export interface LoadedSettings<Name extends SettingName> {
  settings: Pick<Settings, Name>;
  file: ConfigFile | undefined;
  /** Those that someone gave, be it by flag, variable or file. */
  given: ReadonlySet<SettingName>;
}

/** The settings of a command from its flags, the environment, `conveyor.config.ts` in the current folder, and the defaults. */
export async function readSettings<Name extends SettingName>(command: Command, names: readonly Name[]): Promise<LoadedSettings<Name>> {
  const options = command.opts<Record<string, unknown>>();
  const flags = Object.fromEntries(names.map((name) => [name, options[new Option(`--${SETTINGS[name].flag}`).attributeName()]]));
  const file = await readConfigFile(process.cwd());
  const fallbacks = { logFormat: process.stdout.isTTY ? 'pretty' : 'json', nodeName: hostNodeName() };
  const sources = { flags, env: process.env, file, fallbacks };
  return { settings: loadSettings(names, sources), file, given: givenSettings(names, sources) };
}

/** The host's name, as far as a node's name may have its characters. */
function hostNodeName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'node'
  );
}

export interface OutputOptions {
  output: Format;
  json?: boolean;
}

export function addOutput(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print the data').choices(FORMATS).default('table'))
    .option('--json', 'the same as -o json');
}

export function formatOf(options: OutputOptions): Format {
  return options.json ? 'json' : options.output;
}

/** `--timeout`, in milliseconds. */
export function timeoutOption(description: string, defaultMs: number): Option {
  return new Option('--timeout <duration>', description).default(defaultMs, formatDuration(defaultMs)).argParser(readTimeout);
}

function readTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1 || ms > 2_147_483_647) throw new InvalidArgumentError('A duration such as 250ms, 5s or 10m is expected.');
  return ms;
}

/** For an option that holds a whole number within bounds. */
export function countOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`A whole number from ${min} to ${max} is expected.`);
    return value;
  };
}

/** The examples under a command's help. */
export function addExamples(command: Command, ...examples: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
}
