import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import { EXIT, type ExitCode } from './faults.ts';
import { say } from './print.ts';

/** Something that was started and has to be closed again. */
export interface Closer {
  /** Ends the sentence "stopping …", for people who watch it stop. */
  what: string;
  close(): Promise<void>;
  /** Closes at once, whatever is under way; only for what would outlive the process. */
  force?(): Promise<void>;
}

/** A signal within this time of the one before is the same key press: npm and the terminal both pass it on. */
const SAME_SIGNAL_MS = 250;
/** How long a forced end may take. */
const FORCE_MS = 2_000;

/** The stop was asked for before the start was complete. */
class StopRequested extends Error {}

/**
 * The life of a long-running command: what it started, in order, and how it ends. The first signal closes everything in
 * reverse order, the second ends the process at once.
 */
export class Service {
  private readonly clock: Clock;
  private readonly closers: Closer[] = [];
  private readonly stopper = new AbortController();
  private readonly stopped = Promise.withResolvers<ExitCode>();
  private started = false;
  private stopping = false;
  /** People were told that it stops, so they are told how far it is. */
  private announced = false;
  private forced = false;
  private lastSignalAt = Number.NEGATIVE_INFINITY;

  private constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Starts what `build` starts, stays until a signal or a failure, closes it all, and says how it ended. */
  static async run(clock: Clock, build: (service: Service) => Promise<void>): Promise<ExitCode> {
    const service = new Service(clock);
    const onSignal = (signal: NodeJS.Signals): void => service.takeSignal(signal);
    const onCrash = (error: unknown): void => service.fail(`unexpected error: ${messageOf(error)}`);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, onSignal);
    process.on('uncaughtException', onCrash);
    try {
      await service.start(build);
      const exitCode = await service.stopped.promise;
      await service.close();
      return service.forced ? EXIT.interrupted : exitCode;
    } finally {
      await service.close();
      for (const signal of signals) process.off(signal, onSignal);
      process.off('uncaughtException', onCrash);
    }
  }

  private async start(build: (service: Service) => Promise<void>): Promise<void> {
    try {
      await build(this);
      this.started = true;
    } catch (error) {
      if (!(error instanceof StopRequested)) throw error;
    }
  }

  /** Takes charge of something that was started. Ends the start here when a stop was asked for meanwhile. */
  own(closer: Closer): void {
    this.closers.push(closer);
    if (this.stopping) throw new StopRequested();
  }

  /** Aborted as soon as it stops: for whatever waits for something that may never come. */
  get signal(): AbortSignal {
    return this.stopper.signal;
  }

  /** Whether everything is being closed: what ends now ends as it should. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /** Something that had to go on has ended: stops the rest, exit code 1. */
  fail(reason: string): void {
    if (this.stopping) return;
    say(`stopping, because ${reason}`);
    this.stop(EXIT.failed);
  }

  /** What it was for has come to its end in good order: stops the rest, exit code 0. */
  finish(reason: string): void {
    if (this.stopping) return;
    say(`stopping: ${reason}`);
    this.stop(EXIT.done);
  }

  private takeSignal(signal: NodeJS.Signals): void {
    const now = this.clock.monotonic();
    const isRepeat = now - this.lastSignalAt < SAME_SIGNAL_MS;
    this.lastSignalAt = now;
    if (isRepeat) return;
    if (this.stopping) {
      this.forceEnd();
      return;
    }
    say(`\n${signal}: stopping; running steps may finish and orders are handed back (a second one stops at once)`);
    this.stop(this.started ? EXIT.done : EXIT.interrupted);
  }

  private stop(exitCode: ExitCode): void {
    this.announced = true;
    this.stopping = true;
    this.stopper.abort();
    this.stopped.resolve(exitCode);
  }

  private forceEnd(): void {
    this.forced = true;
    say('stopping at once; what was under way goes on with the next start');
    const forced = Promise.allSettled(this.closers.map((closer) => closer.force?.()));
    void Promise.race([forced, sleep(this.clock, FORCE_MS)]).then(() => process.exit(EXIT.interrupted));
  }

  /** In reverse order; one that fails does not keep the others open. */
  private async close(): Promise<void> {
    this.stopping = true;
    this.stopper.abort();
    for (let closer = this.closers.at(-1); closer; closer = this.closers.at(-1)) {
      if (this.announced) say(`  stopping ${closer.what}`);
      await closer.close().catch((error: unknown) => say(`  ${closer?.what} did not stop in good order: ${messageOf(error)}`));
      this.closers.pop();
    }
  }
}
