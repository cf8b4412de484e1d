import type { Step } from '#engine/workflow.ts';
import { type Simulation, simulatedStep } from '../simulation.ts';

/** Gives the order its place in the day's plan; the undo gives the place back. */
export function scheduling(simulation: Simulation): Step {
  return simulatedStep('Scheduling', simulation);
}
