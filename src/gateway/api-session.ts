import { type Static, Type } from 'typebox';

/** The wire of the console's sign-in, as schemas. */

export const SessionBody = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 512, description: 'an access token; conveyor token create makes one' }) },
  { additionalProperties: false },
);

export const SessionView = Type.Object({
  name: Type.String({ description: "of the token; of a customer's it is the customer" }),
  role: Type.Unsafe<'customer' | 'operator'>({ type: 'string', enum: ['customer', 'operator'] }),
  development: Type.Boolean({ description: 'whether the development tokens exist' }),
});

export type SessionJson = Static<typeof SessionView>;
