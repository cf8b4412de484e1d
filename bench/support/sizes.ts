import { parseArgs } from 'node:util';

export interface Flags {
  /** One object instead of lines. */
  json?: boolean | undefined;
  /** One short round of each. */
  quick?: boolean | undefined;
  /** All suites, those that take minutes or hours too. */
  full?: boolean | undefined;
  /** Writes bench/results/SUITE-DATE.json, which docs/performance.md is made from. */
  save?: boolean | undefined;
  /** This suite alone. */
  only?: string | undefined;
  /** How often what is compared is measured in turn. */
  rounds?: string | undefined;
  /** How many finished orders are stored where many are. */
  orders?: string | undefined;
  /** How long the soak takes. */
  minutes?: string | undefined;
}

export function readFlags(): Flags {
  return parseArgs({
    options: {
      ...{ json: { type: 'boolean' }, quick: { type: 'boolean' }, full: { type: 'boolean' }, save: { type: 'boolean' } },
      ...{ only: { type: 'string' }, rounds: { type: 'string' }, orders: { type: 'string' }, minutes: { type: 'string' } },
    },
  }).values;
}

const FULL = {
  rounds: 3,
  carryOrders: 60_000,
  loadSeconds: 5,
  pickUps: 500,
  idleSeconds: 15,
  kills: 10,
  slowKills: 3,
  fleets: [1, 2, 4, 8],
  largeFleets: [10, 20, 40],
  largeStepMs: 5_000,
  largeFleetOrders: 8_000,
  storedOrders: 5_000_000,
  overloadSeconds: 60,
  soakMinutes: 30,
  consoleMinutes: 5,
  claims: 300,
  backlog: 1_000_000,
  smallBacklog: 1_000,
};
const QUICK: Sizes = {
  rounds: 1,
  carryOrders: 5_000,
  loadSeconds: 2,
  pickUps: 100,
  idleSeconds: 5,
  kills: 3,
  slowKills: 1,
  fleets: [1, 2],
  largeFleets: [5, 10],
  largeStepMs: 500,
  largeFleetOrders: 2_000,
  storedOrders: 200_000,
  overloadSeconds: 8,
  soakMinutes: 2,
  consoleMinutes: 1,
  claims: 200,
  backlog: 50_000,
  smallBacklog: 1_000,
};

export type Sizes = typeof FULL;

/** How much is measured. */
export function sizesOf({ quick, rounds, orders, minutes }: Flags): Sizes {
  const sizes = quick ? QUICK : FULL;
  return {
    ...sizes,
    rounds: wholeNumber('rounds', rounds) ?? sizes.rounds,
    storedOrders: wholeNumber('orders', orders) ?? sizes.storedOrders,
    soakMinutes: wholeNumber('minutes', minutes) ?? sizes.soakMinutes,
  };
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${flag} is "${text}"; a whole number from 1 is expected`);
}
