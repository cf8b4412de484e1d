import { appendFileSync } from 'node:fs';
import { systemClock } from '#engine/clock.ts';
import { defineWorkflow, step, type Workflow } from '#engine/workflow.ts';

export const COUNTED_WORKFLOW = { name: 'counted', version: 1, stepNames: ['One', 'Two', 'Three', 'Four'] };

/** Steps that never fail and write down in a file, which all processes share, that they were begun. */
export function countedWorkflow(file: string, stepMs: number): Workflow {
  const { name, version, stepNames } = COUNTED_WORKFLOW;
  const steps = stepNames.map((stepName) =>
    step(stepName, {
      run: async ({ orderId, signal }) => {
        appendFileSync(file, `${orderId} ${stepName}\n`);
        await new Promise<void>((resolve, reject) => {
          const timer = systemClock.after(stepMs, resolve);
          signal.addEventListener('abort', () => {
            timer.cancel();
            reject(signal.reason);
          });
        });
      },
    }),
  );
  return defineWorkflow({ name, version, steps });
}
