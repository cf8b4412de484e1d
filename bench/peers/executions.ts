/** What one process has run so far. */
export interface Executions {
  /** When its first handler began, in ms of the epoch. */
  beganAt: number;
  total: number;
  /** Orders that have run each of the four steps here. */
  whole: number;
}

const ALL_STEPS = 0b1111;

/** Counts handlers, order by order, so that a step that was skipped cannot hide behind one that ran twice. */
export class ExecutionCount {
  private readonly stepsOf: Uint8Array;
  private beganAt = 0;
  private total = 0;
  private whole = 0;

  constructor(orderCount: number) {
    this.stepsOf = new Uint8Array(orderCount);
  }

  add(order: number, step: number): void {
    if (this.total === 0) this.beganAt = performance.timeOrigin + performance.now();
    this.total += 1;
    const before = this.stepsOf[order] ?? 0;
    const after = before | (1 << step);
    this.stepsOf[order] = after;
    if (after === ALL_STEPS && before !== ALL_STEPS) this.whole += 1;
  }

  read(): Executions {
    return { beganAt: this.beganAt, total: this.total, whole: this.whole };
  }
}
