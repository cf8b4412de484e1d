import { defineWorkflow, type Workflow } from '#engine/workflow.ts';
import type { Simulation } from './simulation.ts';
import { postProcessing } from './steps/post-processing.ts';
import { preProcessing } from './steps/pre-processing.ts';
import { processing } from './steps/processing.ts';
import { scheduling } from './steps/scheduling.ts';

/** The default workflow: the four steps every order goes through. */
export function orderWorkflow(simulation: Simulation): Workflow {
  return defineWorkflow({
    name: 'order',
    version: 1,
    steps: [scheduling(simulation), preProcessing(simulation), processing(simulation), postProcessing(simulation)],
  });
}
