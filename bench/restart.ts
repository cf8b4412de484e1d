import { runRollingRestart } from './chaos/restart.ts';
import type { Figure } from './support/figures.ts';
import type { BenchServer } from './support/server.ts';

const NODES = 4;
const STEP_MS = 500;
const ORDERS_PER_SECOND = 50;

/** A rolling restart in good order under load. Rejects when the histories it made break an invariant. */
export async function benchRestart(server: BenchServer): Promise<Figure[]> {
  const database = await server.createDatabase();
  try {
    const { verdict, ...result } = await runRollingRestart(database, { nodes: NODES, stepMs: STEP_MS, ordersPerSecond: ORDERS_PER_SECOND });
    const [first, ...others] = verdict.violations;
    if (first) throw new Error(`${first} (and ${others.length} more violations)`);
    return [
      { name: `rolling restart of ${NODES} nodes: steps run twice`, value: result.stepsRunTwice, unit: 'steps', target: { atMost: 0 } },
      { name: '… of steps begun', value: result.stepsBegun, unit: 'steps' },
      { name: '… orders handed back', value: verdict.handedBack, unit: 'orders' },
      { name: '… orders delayed by more than a second', value: result.delayedOrders, unit: 'orders', target: { atMost: 0 } },
      { name: '… longest wait for a slot', value: result.longestDelayS, unit: 's' },
    ];
  } finally {
    await database.close();
  }
}
