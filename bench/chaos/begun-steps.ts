import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolder } from '#test/folders.ts';

const WORKFLOW = new URL('../processes/counted-workflow.ts', import.meta.url).href;
const DEFINE = new URL('../../src/config/define.ts', import.meta.url).href;

/** A folder for nodes whose steps write down that they were begun. */
export interface BegunSteps {
  folder: string;
  /** Steps that were begun at all, and those that were begun more than once. */
  count(): Promise<{ begun: number; twice: number }>;
  close(): Promise<void>;
}

/**
 * Histories tell of steps that ended. Whether one was begun, aborted and begun again they do not tell: an order that is handed
 * back after a step was either between two steps or within the second. So the steps themselves say it.
 */
export async function openBegunSteps(stepMs: number): Promise<BegunSteps> {
  const folder = await openFolder('conveyor-begun-');
  const file = join(folder, 'begun');
  await writeFile(file, '');
  await writeFile(
    join(folder, 'conveyor.config.ts'),
    `import { defineConfig } from ${JSON.stringify(DEFINE)};
import { countedWorkflow } from ${JSON.stringify(WORKFLOW)};
export default defineConfig({ workflows: [countedWorkflow(${JSON.stringify(file)}, ${stepMs})] });
`,
  );
  return {
    folder,
    async count() {
      const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
      const begun = new Set(lines);
      return { begun: begun.size, twice: lines.length - begun.size };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
