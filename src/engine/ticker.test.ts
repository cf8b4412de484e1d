import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { Ticker } from './ticker.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function begin(): {
  clock: ManualClock;
  ticker: Ticker;
  turns: (() => void)[];
  pass: (ms: number) => Promise<void>;
  finish: () => Promise<void>;
} {
  const clock = new ManualClock();
  const turns: (() => void)[] = [];
  const ticker = new Ticker({ clock, intervalMs: () => 100, turn: () => new Promise<void>((resolve) => turns.push(resolve)) });
  ticker.start();
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await settle();
  };
  const finish = async (): Promise<void> => {
    turns.at(-1)?.();
    await settle();
  };
  return { clock, ticker, turns, pass, finish };
}

describe('taking turns', () => {
  it('takes one after each interval, counted from the end of the one before', async () => {
    const { ticker, turns, pass, finish } = begin();
    await pass(99);
    expect(turns).toHaveLength(0);
    await pass(1);
    expect(turns).toHaveLength(1);
    await pass(500);
    expect(turns).toHaveLength(1);
    await finish();
    expect(ticker.turnedAt).toBe(600);
    await pass(100);
    expect(turns).toHaveLength(2);
  });

  it('takes one at once when asked, and one more when asked during a turn, however often', async () => {
    const { ticker, turns, pass, finish } = begin();
    ticker.soon();
    expect(turns).toHaveLength(1);
    ticker.soon();
    ticker.soon();
    expect(turns).toHaveLength(1);
    await finish();
    expect(turns).toHaveLength(2);
    await finish();
    expect(turns).toHaveLength(2);
    await pass(100);
    expect(turns).toHaveLength(3);
  });

  it('takes none any more once stopped', async () => {
    const { ticker, turns, pass, finish } = begin();
    ticker.soon();
    ticker.soon();
    ticker.stop();
    await finish();
    ticker.soon();
    await pass(1_000);
    expect(turns).toHaveLength(1);
  });
});
