import { Chance } from './seed.ts';

/** What may happen in a round, and how often of a hundred. */
const ACTIONS = [
  ['kill', 42],
  ['pause', 26],
  ['drain', 7],
  ['stop', 8],
  ['join', 6],
  ['cut', 8],
  ['kill leader', 3],
] as const;
export type Action = (typeof ACTIONS)[number][0];

const MIN_STEP_MS = 50;
const MAX_STEP_MS = 500;
const MIN_LENGTH_MS = 200;
/** Twice a lease: some pauses are slept through, others cost the session. */
const MAX_LENGTH_MS = 6_000;

/** All that chance has to say of one round. */
export interface Round {
  action: Action;
  /** From the round's begin, when its orders arrive, to its action: in the middle of what has just arrived. */
  intoMs: number;
  /** How long a pause or a drain lasts. */
  lengthMs: number;
  /** Which node it hits, 0 to 1: a place among the candidates of that moment. */
  victim: number;
  /** Of the node that starts in this round, if one does. */
  stepMs: number;
}

export interface ChaosPlan {
  /** Of the nodes that are there from the beginning. */
  firstStepsMs: number[];
  rounds: Round[];
}

/**
 * Decides everything beforehand, so that the same seed gives the same actions and delays: numbers drawn while the run goes on
 * would be handed out in the order in which processes happen to start and end.
 */
export function planChaos({ seed, rounds, nodes, paceMs }: { seed: number; rounds: number; nodes: number; paceMs: number }): ChaosPlan {
  const chance = new Chance(seed);
  const stepMs = (): number => Math.round(chance.between(MIN_STEP_MS, MAX_STEP_MS));
  return {
    firstStepsMs: Array.from({ length: nodes }, stepMs),
    rounds: Array.from({ length: rounds }, () => ({
      action: chooseAction(chance.next()),
      intoMs: chance.between(paceMs / 10, paceMs / 2),
      lengthMs: chance.between(MIN_LENGTH_MS, MAX_LENGTH_MS),
      victim: chance.next(),
      stepMs: stepMs(),
    })),
  };
}

function chooseAction(share: number): Action {
  let left = share * 100;
  for (const [action, percent] of ACTIONS) {
    left -= percent;
    if (left < 0) return action;
  }
  return 'kill';
}
