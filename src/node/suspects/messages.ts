import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

/** What a node and the process that runs a suspect's handlers say to each other. */

const Json = Type.Unknown();
const StepError = Type.Object({ code: Type.String(), message: Type.String() });

const Input = Type.Object({
  orderId: Type.String(),
  order: Type.Object({}, { additionalProperties: true }),
  step: Type.Integer({ minimum: 1 }),
  stepName: Type.String(),
  direction: Type.Union([Type.Literal('forward'), Type.Literal('rollback')]),
  results: Type.Record(Type.String(), Json),
  attempt: Type.Integer({ minimum: 1 }),
  idempotencyKey: Type.String(),
  fence: Type.Integer(),
  undo: Type.Optional(
    Type.Object({
      outcome: Type.Union([Type.Literal('completed'), Type.Literal('failed'), Type.Literal('unknown')]),
      result: Json,
    }),
  ),
});

const ToChild = Type.Union([
  Type.Object({
    kind: Type.Literal('run'),
    workflow: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    timeoutMs: Type.Number({ minimum: 0 }),
    /** Stand in every line that the handler logs. */
    ids: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
    input: Input,
  }),
  Type.Object({ kind: Type.Literal('interrupt'), why: Type.Union([Type.Literal('cancelled'), Type.Literal('dropped')]) }),
]);

const FromChild = Type.Union([
  Type.Object({ kind: Type.Literal('ready') }),
  Type.Object({
    kind: Type.Literal('outcome'),
    /** The handler has come to an end; one that ignored its signal may still do anything. */
    settled: Type.Boolean(),
    outcome: Type.Union([
      Type.Literal('dropped'),
      Type.Object({ kind: Type.Literal('done'), result: Json }),
      Type.Object({ kind: Type.Union([Type.Literal('failed'), Type.Literal('errored')]), error: StepError }),
      Type.Object({ kind: Type.Literal('cancelled') }),
    ]),
  }),
]);

export type ToChildMessage = Static<typeof ToChild>;
export type FromChildMessage = Static<typeof FromChild>;

export function readToChild(message: unknown): ToChildMessage {
  if (Value.Check(ToChild, message)) return message;
  throw new Error('assertion failed: a node sends only what its suspects’ process knows');
}

/** `undefined` for whatever a handler may have sent by itself. */
export function readFromChild(message: unknown): FromChildMessage | undefined {
  return Value.Check(FromChild, message) ? message : undefined;
}
