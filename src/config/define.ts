import type { Workflow } from '#engine/workflow.ts';
import type { WrittenSettings } from './settings.ts';

/** The content of `conveyor.config.ts`. */
export interface ConfigFile extends WrittenSettings {
  /** Workflows besides the default one, `order`; `workflow` names the one that new orders begin with. */
  readonly workflows?: readonly Workflow[];
}

/**
 * Gives a configuration file its type.
 *
 * @example
 * export default defineConfig({ stepDuration: '1s', slots: 100 });
 */
export function defineConfig(config: ConfigFile): ConfigFile {
  return config;
}
