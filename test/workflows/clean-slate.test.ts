import { describe, expect, it } from 'vitest';
import type { Json } from '#domain/json.ts';
import { type Clock, systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { type CompensationContext, type Step, type StepContext, StepFailure, type Workflow } from '#engine/workflow.ts';
import { orderWorkflow } from '#workflows/order.ts';
import type { EffectName, Effects } from '#workflows/simulation.ts';
import { giftWrapping, openWrappingTable } from '../../examples/gift-wrapping.ts';

/** A receiver that takes an effect once and remembers what was withdrawn: what every real one must do too. */
class EffectLedger implements Effects {
  readonly active = new Set<string>();
  private readonly sealed = new Set<string>();

  apply(effect: EffectName): void {
    const name = nameOf(effect);
    if (this.sealed.has(name)) throw new StepFailure(`${name} was withdrawn`);
    this.active.add(name);
  }

  withdraw(effect: EffectName): void {
    this.active.delete(nameOf(effect));
    this.sealed.add(nameOf(effect));
  }
}

interface World {
  workflow: Workflow;
  isClean(): boolean;
}

const SHEETS = 3;

/** Every workflow of the house with the world it changes, fresh for each case. */
function buildWorlds(): World[] {
  const ledger = new EffectLedger();
  const table = openWrappingTable(SHEETS);
  const registry = new WorkflowRegistry([
    orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock, effects: ledger }),
    giftWrapping(table),
  ]);
  const isClean: Record<string, () => boolean> = {
    order: () => ledger.active.size === 0,
    'gift-wrapping': () => table.sheetsLeft() === SHEETS,
  };
  return registry.all().map((workflow) => ({ workflow, isClean: isClean[workflow.name] as () => boolean }));
}

function nameOf({ orderId, stepName }: EffectName): string {
  return `${orderId}/${stepName}`;
}

function contextOf(step: Step, results: Record<string, Json>, signal = new AbortController().signal): StepContext {
  return {
    orderId: 'order-1',
    order: { customer_name: 'Ada', metadata: { paper: 'blue' } },
    stepName: step.name,
    results,
    attempt: 1,
    idempotencyKey: `order-1/${step.name}/forward`,
    fence: 1,
    signal,
    log: silentLog,
  };
}

async function runUpTo(workflow: Workflow, count: number): Promise<Record<string, Json>> {
  const results: Record<string, Json> = {};
  for (const step of workflow.steps.slice(0, count)) {
    results[step.name] = ((await step.run(contextOf(step, results))) ?? null) as Json;
  }
  return results;
}

async function undoTwice(
  workflow: Workflow,
  failedStep: number,
  outcome: 'failed' | 'unknown',
  results: Record<string, Json>,
): Promise<void> {
  for (const [index, step] of [...workflow.steps.slice(0, failedStep).entries()].reverse()) {
    const context: CompensationContext = {
      ...contextOf(step, results),
      outcome: index + 1 === failedStep ? outcome : 'completed',
      result: results[step.name] ?? null,
    };
    await step.compensate?.(context);
    await step.compensate?.(context);
  }
}

const cases = buildWorlds().flatMap(({ workflow }, world) =>
  workflow.steps.map((step, index) => ({ world, failedStep: index + 1, title: `${workflow.name}: ${step.name}` })),
);

describe('a workflow that fails at any step and is undone twice leaves a clean slate', () => {
  it.each(cases)('$title failed before its effect', async ({ world, failedStep }) => {
    const { workflow, isClean } = buildWorlds()[world] as World;
    const results = await runUpTo(workflow, failedStep - 1);
    await undoTwice(workflow, failedStep, 'failed', results);
    expect(isClean()).toBe(true);
  });

  it.each(cases)('$title took effect, nobody knows, and repeats itself after the undo', async ({ world, failedStep }) => {
    const { workflow, isClean } = buildWorlds()[world] as World;
    const results = await runUpTo(workflow, failedStep);
    await undoTwice(workflow, failedStep, 'unknown', results);
    expect(isClean()).toBe(true);
    const late = workflow.steps[failedStep - 1] as Step;
    if (late.compensate) expect(() => late.run(contextOf(late, results))).toThrow(StepFailure);
    expect(isClean()).toBe(true);
  });

  it('means something: before the undo the slate is not clean', async () => {
    for (const { workflow, isClean } of buildWorlds()) {
      await runUpTo(workflow, workflow.steps.length);
      expect(isClean()).toBe(false);
    }
  });
});

describe('the simulated steps', () => {
  const workflowWith = (simulation: { stepDurationMs?: number; failureRate?: number; clock?: Partial<Clock> }): Workflow =>
    orderWorkflow({ stepDurationMs: 0, failureRate: 0, ...simulation, clock: { ...systemClock, ...simulation.clock } });
  const firstOf = (workflow: Workflow): Step => workflow.steps[0] as Step;

  it('are the four of the contract, in order', () => {
    expect(workflowWith({}).steps.map((step) => step.name)).toEqual(['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing']);
  });

  it('set no timer when they take no time', () => {
    const workflow = workflowWith({ clock: { after: () => expect.unreachable('a timer was set') } });
    for (const step of workflow.steps) expect(step.run(contextOf(step, {}))).not.toBeInstanceOf(Promise);
  });

  it('wait as long as they are told to', async () => {
    const delays: number[] = [];
    const after = (delayMs: number, call: () => void) => {
      delays.push(delayMs);
      call();
      return { cancel() {} };
    };
    const first = firstOf(workflowWith({ stepDurationMs: 5_000, clock: { after } }));
    await first.run(contextOf(first, {}));
    expect(delays).toEqual([5_000]);
  });

  it('stop waiting when their signal is aborted, with its reason', async () => {
    const abort = new AbortController();
    const first = firstOf(workflowWith({ stepDurationMs: 3_600_000 }));
    const running = first.run(contextOf(first, {}, abort.signal));
    abort.abort(new Error('cancelled by the customer'));
    await expect(running).rejects.toThrow('cancelled by the customer');
  });

  it('fail as a business failure exactly when chance falls below the rate', () => {
    const first = (random: number): Step => firstOf(workflowWith({ failureRate: 0.05, clock: { random: () => random } }));
    expect(() => first(0.049).run(contextOf(first(0.049), {}))).toThrow(StepFailure);
    expect(first(0.05).run(contextOf(first(0.05), {}))).toBeNull();
  });

  it('never time out by taking their own duration', () => {
    for (const stepDurationMs of [0, 60_000, 86_400_000]) {
      for (const step of workflowWith({ stepDurationMs }).steps) expect(step.timeoutMs).toBeGreaterThan(stepDurationMs);
    }
  });
});
