import { defineWorkflow, StepFailure, step, type Workflow } from '#engine/workflow.ts';

/** The stock of the wrapping table: what this workflow changes outside. */
export interface WrappingTable {
  /** Takes one sheet for the order; the same order twice takes one sheet. False: none is left. */
  takeSheet(orderId: string, paper: string): boolean;
  /** Puts the order's sheet back and takes none for it any more, however late a request comes. */
  returnSheet(orderId: string): void;
}

/** A workflow of one's own: name it in `conveyor.config.ts` and new orders go this way. */
export function giftWrapping(table: WrappingTable): Workflow {
  return defineWorkflow({
    name: 'gift-wrapping',
    version: 1,
    steps: [
      step('Choose paper', {
        run: ({ order }) => ({ paper: typeof order.metadata?.['paper'] === 'string' ? order.metadata['paper'] : 'plain' }),
        timeout: '5s',
      }),
      step('Wrap', {
        run: ({ orderId, results }) => {
          const { paper } = results['Choose paper'] as { paper: string };
          if (!table.takeSheet(orderId, paper)) throw new StepFailure(`no sheet of ${paper} paper is left`);
        },
        compensate: ({ orderId }) => table.returnSheet(orderId),
        retry: { retries: 2, delay: '10s' },
        timeout: '30s',
      }),
    ],
  });
}

/** A table that lives as long as the process: enough to try the workflow. */
export function openWrappingTable(sheets: number): WrappingTable & { sheetsLeft(): number } {
  const taken = new Set<string>();
  const returned = new Set<string>();
  return {
    takeSheet(orderId) {
      if (returned.has(orderId)) return false;
      if (taken.size >= sheets && !taken.has(orderId)) return false;
      taken.add(orderId);
      return true;
    },
    returnSheet(orderId) {
      taken.delete(orderId);
      returned.add(orderId);
    },
    sheetsLeft: () => sheets - taken.size,
  };
}
