import { describe, expect, it, vi } from 'vitest';
import { ConveyorError } from '#domain/errors.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { MoveVerdict, OrderMove } from '#engine/store.ts';
import { MoveWriter } from './move-writer.ts';

const move = (orderId: string): OrderMove => ({
  ...{ orderId, fence: 1, version: 3, kind: 'step_completed', step: 1, direction: 'forward', data: null, closing: undefined },
});
const lost = (): ConveyorError => new ConveyorError('warehouse-unavailable', 'the connection ended');
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function open() {
  const clock = new ManualClock();
  const write = vi.fn<(moves: OrderMove[]) => Promise<MoveVerdict[]>>(async (moves) => moves.map(() => 'applied'));
  const onLostAnswer = vi.fn();
  return { clock, write, onLostAnswer, writer: new MoveWriter({ clock, write, onLostAnswer }) };
}

describe('the writer of moves', () => {
  it('sends again what was not answered; once it is, nothing is open', async () => {
    const { writer, write, clock, onLostAnswer } = open();
    write.mockRejectedValueOnce(lost());
    const verdict = writer.write(move('a'));
    await settle();
    expect([onLostAnswer.mock.calls.length, writer.hasGivenUp]).toEqual([1, false]);
    clock.pass(1_000);
    expect(await verdict).toBe('applied');
    writer.reset();
    expect(writer.hasGivenUp).toBe(false);
  });

  it('knows that it gave up what was sent and not answered before a reset', async () => {
    const { writer, write, clock } = open();
    write.mockRejectedValueOnce(lost());
    const verdict = writer.write(move('a'));
    await settle();
    writer.reset();
    expect(writer.hasGivenUp).toBe(true);
    clock.pass(1_000);
    expect(await verdict).toBe('fenced');
    expect(write).toHaveBeenCalledTimes(1);
    expect(writer.hasGivenUp).toBe(true);
  });

  it('and what was under way at a reset, if its answer is lost later; not if it comes', async () => {
    const { writer, write } = open();
    const answers = [Promise.withResolvers<MoveVerdict[]>(), Promise.withResolvers<MoveVerdict[]>()];
    write
      .mockReturnValueOnce(answers[0]?.promise as Promise<MoveVerdict[]>)
      .mockReturnValueOnce(answers[1]?.promise as Promise<MoveVerdict[]>);
    const answered = writer.write(move('a'));
    await settle();
    const unanswered = writer.write(move('b'));
    await settle();
    writer.reset();
    expect(writer.hasGivenUp).toBe(false);
    answers[0]?.resolve(['applied']);
    expect(await answered).toBe('applied');
    expect(writer.hasGivenUp).toBe(false);
    answers[1]?.reject(lost());
    await settle();
    expect(writer.hasGivenUp).toBe(true);
    void unanswered;
  });

  it('has nothing open that was never sent', async () => {
    const { writer, write } = open();
    const verdict = writer.write(move('a'));
    writer.reset();
    expect(await verdict).toBe('fenced');
    expect(write).not.toHaveBeenCalled();
    expect(writer.hasGivenUp).toBe(false);
  });
});
