import { formatDuration } from '#domain/time.ts';
import type { ConfigFile } from './define.ts';
import { parseSetting } from './parse.ts';
import type { SettingRow } from './setting-row.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.ts';

export const CONFIG_FILE_NAME = 'conveyor.config.ts';

/** Where settings come from, the strongest first. */
export interface SettingSources {
  flags: Readonly<Partial<Record<SettingName, unknown>>>;
  env: Readonly<Record<string, string | undefined>>;
  file: ConfigFile | undefined;
  /** Defaults that depend on the machine. */
  fallbacks: Readonly<Partial<Record<SettingName, string>>>;
}

/** Wrong settings: one line for each, with its name, the value and what is allowed. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/**
 * The settings a command uses: flags before environment before configuration file before defaults. Others are not looked
 * at, so that a wrong `CONVEYOR_SLOTS` does not keep anyone from listing orders.
 *
 * @throws SettingsError with every problem, not only the first
 */
export function loadSettings<Name extends SettingName>(names: readonly Name[], sources: SettingSources): Pick<Settings, Name> {
  const problems = fileProblems(sources.file);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const found = findWritten(name, sources);
    if (!found) continue;
    const parsed = parseSetting(SETTINGS[name], found.written);
    if ('fault' in parsed) problems.push(`${found.label} ${parsed.fault}`);
    else values[name] = parsed.value;
  }
  problems.push(...leaseProblems(values));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(values) as Pick<Settings, Name>;
}

/** What a command uses where nobody says anything. */
export function defaultSettings<Name extends SettingName>(names: readonly Name[]): Pick<Settings, Name> {
  return loadSettings(names, { flags: {}, env: {}, file: undefined, fallbacks: {} });
}

/** Which of the settings someone gave, rather than left at their defaults. */
export function givenSettings(names: readonly SettingName[], sources: SettingSources): ReadonlySet<SettingName> {
  return new Set(names.filter((name) => findWritten(name, { ...sources, fallbacks: {} })?.isGiven));
}

/** The strongest source that says anything. An empty variable says nothing, as is usual. */
function findWritten(name: SettingName, sources: SettingSources): { label: string; written: unknown; isGiven: boolean } | undefined {
  const row: SettingRow = SETTINGS[name];
  const flag = sources.flags[name];
  if (flag !== undefined) return { label: `--${row.flag}`, written: flag, isGiven: true };
  const variable = sources.env[row.variable];
  if (variable !== undefined && variable.trim() !== '') return { label: row.variable, written: variable, isGiven: true };
  const property = row.config && (sources.file as Record<string, unknown> | undefined)?.[row.config];
  if (property !== undefined) return { label: `${row.config} in ${CONFIG_FILE_NAME}`, written: property, isGiven: true };
  const fallback = row.default ?? sources.fallbacks[name];
  return fallback === undefined ? undefined : { label: `the default of --${row.flag}`, written: fallback, isGiven: false };
}

/** A misspelt property would go unnoticed: the file is ours, so everything in it must be known. */
function fileProblems(file: ConfigFile | undefined): string[] {
  const known = SETTING_NAMES.flatMap((name) => SETTINGS[name].config ?? []);
  return Object.keys(file ?? {})
    .filter((property) => property !== 'workflows' && !(known as string[]).includes(property))
    .map((property) => `${JSON.stringify(property)} in ${CONFIG_FILE_NAME} is no setting; allowed are ${known.join(', ')} and workflows`);
}

/** PROTOCOL.md rule 1: a node must be able to stop before anyone may take its orders over. */
function leaseProblems(values: Partial<Record<SettingName, unknown>>): string[] {
  const { leaseTtlMs: ttl, heartbeatMs: heartbeat, leaseMarginMs: margin } = values as Partial<Settings>;
  if (ttl === undefined || heartbeat === undefined || margin === undefined) return [];
  const problems: string[] = [];
  const lease = `with a lease (--lease-ttl) of ${formatDuration(ttl)}`;
  if (heartbeat > ttl / 3) {
    problems.push(
      `--heartbeat is ${formatDuration(heartbeat)}; allowed is at most ${formatDuration(Math.floor(ttl / 3))} ${lease}, a third of it`,
    );
  }
  if (margin < ttl / 10) {
    problems.push(
      `--lease-margin is ${formatDuration(margin)}; allowed is at least ${formatDuration(Math.ceil(ttl / 10))} ${lease}, a tenth of it`,
    );
  }
  if (margin >= ttl - heartbeat) {
    problems.push(
      `--lease-margin is ${formatDuration(margin)}; allowed is less than ${formatDuration(ttl - heartbeat)} ${lease} and a heartbeat of ${formatDuration(heartbeat)}, or the node would stop between two heartbeats`,
    );
  }
  return problems;
}
