import type { OrderSummaryJson } from '#gateway/api.ts';

/** The steps of the workflow that Conveyor brings along, in their order. */
export const ORDER_STEPS: readonly string[] = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];

/** The steps of an order's workflow as far as the console knows them; those of others show as the order reaches them. */
export function stepNamesOf({ workflow }: Pick<OrderSummaryJson, 'workflow'>): readonly string[] {
  return workflow === 'order' ? ORDER_STEPS : [];
}

/** What stands in the place of the present step once an order has ended, by how it ended. */
export const END_STEPS: Readonly<Record<string, string>> = { completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' };

export function hasEnded({ status }: { status: string }): boolean {
  return Object.hasOwn(END_STEPS, status);
}

export function isEndStep(name: string): boolean {
  return Object.values(END_STEPS).includes(name);
}

/** What follows the word `failed` of a step: `: no stock`. A message that says `Processing failed` itself goes on from there. */
export function afterFailed(stepName: string, message: string, between: string): string {
  const own = `${stepName} failed`;
  return message.startsWith(own) ? message.slice(own.length) : `${between}${message}`;
}
