import { describe, expect, it } from 'vitest';
import { ManualClock } from '#engine/manual-clock.ts';
import { Places } from './places.ts';

/** What a place was answered, once it is; `waits` before. */
function watch(asked: ReturnType<Places['take']>): { verdict: string } {
  const seen = { verdict: typeof asked === 'string' ? asked : 'waits' };
  if (typeof asked !== 'string')
    void asked.then((verdict) => {
      seen.verdict = verdict;
    });
  return seen;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('places', () => {
  it('are as many as there are slots; the next waits until one is left', async () => {
    const places = new Places(2, new ManualClock());
    expect([places.take(false), places.take(true)]).toEqual(['taken', 'taken']);
    const third = watch(places.take(true));
    await settle();
    expect(third.verdict).toBe('waits');
    places.leave();
    await settle();
    expect(third.verdict).toBe('taken');
    const fourth = watch(places.take(true));
    await settle();
    expect(fourth.verdict).toBe('waits');
  });

  it('go to an order that goes on before one that was claimed ahead', async () => {
    const places = new Places(1, new ManualClock());
    expect(places.take(false)).toBe('taken');
    const [ahead, goingOn] = [watch(places.take(false)), watch(places.take(true))];
    places.leave();
    await settle();
    expect([ahead.verdict, goingOn.verdict]).toEqual(['waits', 'taken']);
  });

  it('are not waited for long by an order that was claimed ahead, but as long as it takes by one that goes on', async () => {
    const clock = new ManualClock();
    const places = new Places(1, clock);
    expect(places.take(false)).toBe('taken');
    const [ahead, goingOn] = [watch(places.take(false)), watch(places.take(true))];
    clock.pass(1_000);
    await settle();
    expect([ahead.verdict, goingOn.verdict]).toEqual(['none', 'waits']);
    places.leave();
    places.leave();
    expect(places.take(false)).toBe('taken');
    expect(clock.waitingCount).toBe(0);
  });

  it('disturbed, nobody goes on waiting and no place is lost', async () => {
    const clock = new ManualClock();
    const places = new Places(1, clock);
    expect(places.take(false)).toBe('taken');
    const waiting = [watch(places.take(false)), watch(places.take(true))];
    places.disturb();
    await settle();
    expect(waiting.map(({ verdict }) => verdict)).toEqual(['disturbed', 'disturbed']);
    expect(clock.waitingCount).toBe(0);
    places.leave();
    expect(places.take(true)).toBe('taken');
  });
});
