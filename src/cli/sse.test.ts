import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessages } from './sse.ts';

async function* cut(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(text: string, sizes: number[]): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of readMessages(cut(new TextEncoder().encode(text), sizes))) messages.push(message);
  return messages;
}

describe('an event stream', () => {
  it('yields the data of each message and passes over comments', async () => {
    const text = ': hello\n\nid: 1\nevent: order\ndata: {"a":1}\n\ndata:x\r\ndata: y\r\n\r\ndata: unfinished';
    expect(await readAll(text, [1_000])).toEqual(['{"a":1}', 'x\ny']);
  });

  it('is the same wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text))),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (messages, sizes) => {
          expect(await readAll(messages.map((data) => `data: ${data}\n\n`).join(''), sizes)).toEqual(messages);
        },
      ),
    );
  });
});
