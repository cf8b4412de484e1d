/** An order leaves its own warehouse when that has so many times the backlog per slot of another, unless the settings say otherwise. */
export const DEFAULT_REBALANCE_AT = 3;
