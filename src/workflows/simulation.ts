import type { Json } from '#domain/json.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import { type CompensationContext, type Step, type StepContext, StepFailure, type StepOptions, step } from '#engine/workflow.ts';

/** Which effect: a step has one, the same in every attempt and in both directions. */
export interface EffectName {
  orderId: string;
  stepName: string;
}

/** Whatever a step changes outside of the order's own record. The order's fence lets a receiver refuse a late writer. */
export interface Effects {
  /** Takes effect once per name; throws `StepFailure` when the effect was withdrawn before. */
  apply(effect: EffectName, fence: number): Promise<void> | void;
  /** Removes the effect, if there is one, and seals its name against a late `apply`. Safe to call twice. */
  withdraw(effect: EffectName, fence: number): Promise<void> | void;
}

/** How the simulated steps behave: how long each takes, how often it fails, and where its effect goes. */
export interface Simulation {
  stepDurationMs: number;
  /** The probability, 0 to 1, that a step fails for good. */
  failureRate: number;
  clock: Clock;
  /** Without it a simulated step only waits, and its history is all that is left of it. */
  effects?: Effects;
}

/** Added to a step's duration, so that no step times out by working as long as it was told to. */
const TIMEOUT_RESERVE_MS = 60_000;

/** What a step answers besides: computed after its work is done. */
type ResultOf = (context: StepContext) => Json;

/** A step that takes the simulation's time, fails at its rate, and can be undone. */
export function simulatedStep(name: string, simulation: Simulation, resultOf: ResultOf = () => null): Step {
  const options: StepOptions = {
    run: (context) => work(simulation, context, resultOf),
    compensate: (context) => undo(simulation, context),
    timeout: simulation.stepDurationMs + TIMEOUT_RESERVE_MS,
  };
  return step(name, options);
}

/** Stays synchronous where nothing is to be waited for: a step without duration costs neither a timer nor a promise. */
function work(simulation: Simulation, context: StepContext, resultOf: ResultOf): Promise<Json> | Json {
  if (simulation.stepDurationMs === 0) return finish(simulation, context, resultOf);
  return sleep(simulation.clock, simulation.stepDurationMs, context.signal).then(() => finish(simulation, context, resultOf));
}

function finish(simulation: Simulation, context: StepContext, resultOf: ResultOf): Promise<Json> | Json {
  if (simulation.failureRate > 0 && simulation.clock.random() < simulation.failureRate) {
    throw new StepFailure(`${context.stepName} failed, as one in ${formatOdds(simulation.failureRate)} simulated steps does`);
  }
  const applied = simulation.effects?.apply(effectOf(context), context.fence);
  return applied instanceof Promise ? applied.then(() => resultOf(context)) : resultOf(context);
}

/** The effect is withdrawn by its name, whether it is known to have happened or not. */
function undo(simulation: Simulation, context: CompensationContext): Promise<void> | void {
  context.log.debug({ outcome: context.outcome }, 'step undone');
  return simulation.effects?.withdraw(effectOf(context), context.fence);
}

function effectOf(context: StepContext): EffectName {
  return { orderId: context.orderId, stepName: context.stepName };
}

function formatOdds(failureRate: number): string {
  return String(Number((1 / failureRate).toPrecision(3)));
}
