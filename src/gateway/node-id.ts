import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';

/**
 * The id of a node, as the store has it.
 * @param name what the text is called in the error
 * @param field where in the request it stands
 */
export function nodeIdOf(text: string, name: string, field = name): string {
  if (isUuid(text)) return text.toLowerCase();
  throw new ConveyorError('invalid-request', `${name} is ${JSON.stringify(text.slice(0, 100))}; the id of a node is expected, a UUID`, {
    faults: [{ field, reason: 'must be a UUID' }],
  });
}
