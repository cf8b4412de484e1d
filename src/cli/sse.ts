/**
 * The data of each message of an event stream (text/event-stream), as it comes. A message may be cut anywhere between two
 * chunks, inside a character too.
 */
export async function* readMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true }).replaceAll('\r', '');
    const messages = rest.split('\n\n');
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const data = dataOf(message);
      if (data !== undefined) yield data;
    }
  }
}

/** The `data:` lines of a message; comments, which keep a connection alive, have none. */
function dataOf(message: string): string | undefined {
  const lines = message.split('\n').filter((line) => line.startsWith('data:'));
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n');
}
