import type { Step } from '#engine/workflow.ts';
import { type Simulation, simulatedStep } from '../simulation.ts';

/** Sets aside what the order needs; the undo puts it back on the shelf. */
export function preProcessing(simulation: Simulation): Step {
  return simulatedStep('Pre-Processing', simulation);
}
