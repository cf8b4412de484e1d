/** What the engine needs of a logger; pino's has this shape. Fields first, then a constant message. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** A child that is made when something is logged: most handlers log nothing, and a real one costs as much as the rest of their call. */
export class LateChildLog implements Log {
  private readonly parent: Log;
  private readonly fields: object;
  private made: Log | undefined;

  constructor(parent: Log, fields: object) {
    this.parent = parent;
    this.fields = fields;
  }

  debug(fields: object, message: string): void {
    this.log.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.log.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.log.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.log.error(fields, message);
  }

  child(fields: object): Log {
    return this.log.child(fields);
  }

  private get log(): Log {
    this.made ??= this.parent.child(this.fields);
    return this.made;
  }
}

/** Says nothing: for tests and benchmarks. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
