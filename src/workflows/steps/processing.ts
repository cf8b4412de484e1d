import type { Step } from '#engine/workflow.ts';
import { type Simulation, simulatedStep } from '../simulation.ts';

/** Carries the order out; the undo reverses it. */
export function processing(simulation: Simulation): Step {
  return simulatedStep('Processing', simulation);
}
