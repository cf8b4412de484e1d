import { isEnded, type ShownOrder, type ShownStep } from '../orders.ts';

const TERMINAL_STEPS: Record<string, string> = { completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' };

/** What an ended order's own account of itself breaks of the promises; nothing for a sound one. */
export function findViolations(order: ShownOrder): string[] {
  if (!isEnded(order.status)) return [];
  const steps = order.steps ?? [];
  const terminal = steps.at(-1)?.step_name;
  const violations =
    terminal === TERMINAL_STEPS[order.status] ? [] : [`its last step is ${terminal ?? 'missing'}, though it is ${order.status}`];
  const worked = steps.filter((step) => !Object.values(TERMINAL_STEPS).includes(step.step_name));
  violations.push(...(order.status === 'completed' ? completionFaults(worked) : rollbackFaults(worked)));
  if (order.status === 'failed' && !worked.some((step) => step.step_complete_time === undefined))
    violations.push('it failed, but no step did');
  return violations;
}

function completionFaults(steps: readonly ShownStep[]): string[] {
  const open = steps.filter((step) => step.step_complete_time === undefined).map((step) => `${step.step_name} has no step_complete_time`);
  const undone = steps
    .filter((step) => step.rollback_time !== undefined)
    .map((step) => `${step.step_name} was rolled back, though it completed`);
  return [...(steps.length === 0 ? ['it completed without a step'] : []), ...open, ...undone];
}

/** Every step that ran is rolled back, newest first: an earlier step never before a later one. */
function rollbackFaults(steps: readonly ShownStep[]): string[] {
  const faults: string[] = [];
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    if (step.rollback_time === undefined) faults.push(`${step.step_name} has no rollback_time`);
    else if (next?.rollback_time !== undefined && Date.parse(step.rollback_time) < Date.parse(next.rollback_time)) {
      faults.push(`${step.step_name} was rolled back before ${next.step_name}`);
    }
  }
  return faults;
}
