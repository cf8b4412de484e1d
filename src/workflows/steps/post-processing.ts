import type { Step } from '#engine/workflow.ts';
import { type Simulation, simulatedStep } from '../simulation.ts';

/** Closes the order's books and lets the goods go; the undo takes both back. */
export function postProcessing(simulation: Simulation): Step {
  return simulatedStep('Post-Processing', simulation);
}
