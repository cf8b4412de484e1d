import { ConveyorError } from '#domain/errors.ts';
import { Batcher } from '#engine/batcher.ts';
import { type Clock, jittered, sleep } from '#engine/clock.ts';
import type { MoveVerdict, OrderMove } from '#engine/store.ts';

export interface MoveWriterOptions {
  clock: Clock;
  write: (moves: OrderMove[]) => Promise<MoveVerdict[]>;
  /** The answer to a write was lost. */
  onLostAnswer: (error: unknown) => void;
}

interface PendingMove {
  move: OrderMove;
  /** Of the writer when the move came in: a writer that was reset since does not send it any more. */
  round: number;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 500;
const MAX_BATCH = 500;
/**
 * Moves and ends have a connection each: two batches for either, so that the next one is there when one was written. More would only
 * be smaller ones: between 3 and 6 the measurements disagree (docs/decisions/0012).
 */
const MAX_IN_FLIGHT = 4;

/**
 * Writes the moves of all slots in batches. When the answer is lost it sends the same again until it is answered: an
 * applied move then says `replayed`. After `reset` (the lease could not be kept) nothing that waited is sent any more; its
 * run was dropped and does not read the verdict. What was sent by then and never answered may still come to be: see `hasGivenUp`.
 */
export class MoveWriter {
  private readonly options: MoveWriterOptions;
  private readonly batcher: Batcher<PendingMove, MoveVerdict>;
  private round = 0;
  /** Batches whose last sending was not answered. */
  private readonly open = new Set<PendingMove[]>();

  constructor(options: MoveWriterOptions) {
    this.options = options;
    this.batcher = new Batcher({
      flush: (moves) => this.flush(moves),
      maxBatch: MAX_BATCH,
      maxInFlight: MAX_IN_FLIGHT,
      maxWaiting: Number.POSITIVE_INFINITY,
      isItemFault: (error) => !isOutcomeOpen(error),
    });
  }

  write(move: OrderMove): Promise<MoveVerdict> {
    return this.batcher.add({ move, round: this.round });
  }

  reset(): void {
    this.round += 1;
  }

  /**
   * A move of an earlier round was sent, and nobody will ever know what became of it. It may be written at any time, as long as its
   * session lives: so an order must not be taken up again in this session.
   */
  get hasGivenUp(): boolean {
    for (const batch of this.open) if (batch.some(({ round }) => round !== this.round)) return true;
    return false;
  }

  private async flush(pending: PendingMove[]): Promise<MoveVerdict[]> {
    let backoffMs = FIRST_BACKOFF_MS;
    for (;;) {
      const current = pending.filter(({ round }) => round === this.round);
      try {
        const verdicts = current.length > 0 ? await this.options.write(current.map(({ move }) => move)) : [];
        if (current.length === pending.length) {
          this.open.delete(pending);
          return verdicts;
        }
        const byMove = new Map(current.map((item, index) => [item, verdicts[index] as MoveVerdict]));
        return pending.map((item) => byMove.get(item) ?? 'fenced');
      } catch (error) {
        if (!isOutcomeOpen(error)) throw error;
        this.open.add(pending);
        this.options.onLostAnswer(error);
        await sleep(this.options.clock, jittered(this.options.clock, backoffMs));
        backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
      }
    }
  }
}

/** Whether the same may succeed when sent again; everything else is the fault of one of the moves. */
function isOutcomeOpen(error: unknown): boolean {
  return error instanceof ConveyorError;
}
