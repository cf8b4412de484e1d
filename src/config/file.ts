import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '#domain/errors.ts';
import type { Workflow } from '#engine/workflow.ts';
import type { ConfigFile } from './define.ts';
import { CONFIG_FILE_NAME, SettingsError } from './load.ts';

/**
 * The default export of `conveyor.config.ts` in a folder; `undefined` where there is none.
 *
 * @throws SettingsError when the file cannot be run or exports something else
 */
export async function readConfigFile(folder: string): Promise<ConfigFile | undefined> {
  const path = join(folder, CONFIG_FILE_NAME);
  if (!existsSync(path)) return undefined;
  const config = await importDefault(path);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new SettingsError([
      `${CONFIG_FILE_NAME} has no settings; its default export must be an object: export default defineConfig({ … })`,
    ]);
  }
  const { workflows } = config as { workflows?: unknown };
  if (workflows !== undefined && !(Array.isArray(workflows) && workflows.every(isWorkflow))) {
    throw new SettingsError([`workflows in ${CONFIG_FILE_NAME} is something else than a list of what defineWorkflow returns`]);
  }
  return config;
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(path).href);
    return module.default;
  } catch (error) {
    throw new SettingsError([
      `${CONFIG_FILE_NAME} cannot be read: ${messageOf(error).split('\n')[0]}; it must be a module that Node runs as it is`,
    ]);
  }
}

function isWorkflow(value: unknown): value is Workflow {
  const candidate = value as Partial<Workflow> | null;
  return typeof candidate === 'object' && typeof candidate?.name === 'string' && Array.isArray(candidate.steps);
}
