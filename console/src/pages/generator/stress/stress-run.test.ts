import { describe, expect, it } from 'vitest';
import type { OrderContent } from '#domain/order.ts';
import type { LiveEvent } from '../../../api/live.ts';
import { figuresOf, newTally } from './figures.ts';
import { type Doors, type Seen, StressRun, type Submitted } from './stress-run.ts';

const ACCEPTED_AT = '2026-01-01T00:00:00.000Z';
const at = (ms: number): string => new Date(Date.parse(ACCEPTED_AT) + ms).toISOString();

/** A gateway of a test: what it answers is chosen, its events are sent by hand, and time passes by waiting only. */
class Gateway {
  readonly placed: OrderContent[] = [];
  readonly waits: number[] = [];
  readonly known = new Map<string, Seen>();
  looks = 0;
  answer: (order: OrderContent, sent: number) => Submitted = (order) => this.accept(order);
  private events: (events: readonly LiveEvent[]) => void = () => undefined;
  private now = 0;

  readonly doors: Doors = {
    submit: async (order) => {
      this.placed.push(order);
      return this.answer(order, this.placed.length);
    },
    readPage: async (_, cursor) => {
      this.looks += 1;
      const all = [...this.known.values()];
      const from = Number(cursor ?? 0);
      return { seen: all.slice(from, from + 10), next: from + 10 < all.length ? String(from + 10) : undefined, isWhole: true };
    },
    readOrder: async (orderId) => {
      this.looks += 1;
      return this.known.get(orderId) ?? null;
    },
    onEvents: (listener) => {
      this.events = listener;
      return () => undefined;
    },
    onGap: () => () => undefined,
    onAnswer: () => () => undefined,
    nowMs: () => this.now,
    wait: async (ms) => {
      this.waits.push(ms);
      this.now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };

  accept({ tracking_id: orderId = '' }: OrderContent): Submitted {
    this.known.set(orderId, { orderId, status: 'queued', endedAt: undefined });
    return { outcome: 'accepted', orderId, startTime: ACCEPTED_AT };
  }

  end(orderId: string, kind: string, ms: number): void {
    this.known.set(orderId, { orderId, status: kind === 'attention_needed' ? 'needs_attention' : kind, endedAt: at(ms) });
  }

  tell(orderId: string, kind: string, ms: number): void {
    this.events([{ order_id: orderId, kind, at: at(ms) } as LiveEvent]);
  }
}

const start = (gateway: Gateway, orders: number, concurrency = 2, regions: string[] = []) => {
  const run = new StressRun('stress-t', { orders, concurrency, regions }, gateway.doors);
  return { run, end: run.run() };
};

describe('a stress run', () => {
  it('places every order once, each with a name of its own, in each region in turn', async () => {
    const gateway = new Gateway();
    const { run, end } = start(gateway, 5, 3, ['HCM', 'HN']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(gateway.placed.map(({ tracking_id }) => tracking_id).sort()).toEqual([1, 2, 3, 4, 5].map((number) => `stress-t-${number}`));
    expect(gateway.placed.map(({ region }) => region)).toEqual(['HCM', 'HN', 'HCM', 'HN', 'HCM']);
    for (const number of [1, 2, 3]) gateway.tell(`stress-t-${number}`, 'completed', number * 1_000);
    gateway.tell('stress-t-4', 'failed', 9_000);
    gateway.tell('stress-t-5', 'claimed', 1);
    expect(run.state).toMatchObject({ phase: 'following', accepted: 5, ended: 4, open: 1, ends: { completed: 3, failed: 1 } });
    gateway.tell('stress-t-5', 'attention_needed', 1);
    await end;
    expect(run.state).toMatchObject({
      phase: 'done',
      isAborted: false,
      open: 0,
      ends: { needs_attention: 1 },
      completionMs: { p50: 2_000, max: 9_000 },
    });
  });

  it('knows an end that was told before the answer', async () => {
    const gateway = new Gateway();
    gateway.answer = (order) => {
      gateway.tell(order.tracking_id ?? '', 'completed', 5);
      return gateway.accept(order);
    };
    const { run, end } = start(gateway, 3);
    await end;
    expect(run.state).toMatchObject({ phase: 'done', ends: { completed: 3 } });
  });

  it('finds by looking what no event told, page by page, and what is lost', async () => {
    const gateway = new Gateway();
    gateway.answer = (order, sent) => {
      const answer = gateway.accept(order);
      if (sent === 7) gateway.known.delete(order.tracking_id ?? '');
      else gateway.end(order.tracking_id ?? '', 'completed', 100);
      return answer;
    };
    const { run, end } = start(gateway, 30);
    await end;
    expect(run.state).toMatchObject({ phase: 'done', accepted: 30, ended: 29, lost: 1, open: 0 });
  });

  it('waits as long as the gateway asks, and sends again what was not answered; both are counted', async () => {
    const gateway = new Gateway();
    const tries = new Map<string, number>();
    gateway.answer = (order) => {
      const id = order.tracking_id ?? '';
      tries.set(id, (tries.get(id) ?? 0) + 1);
      if (tries.get(id) === 1) return { outcome: 'busy', retryAfterMs: 3_000 };
      if (tries.get(id) === 2) return { outcome: 'unanswered' };
      gateway.end(id, 'completed', 1);
      gateway.tell(id, 'completed', 1);
      return { outcome: 'accepted', orderId: id, startTime: ACCEPTED_AT };
    };
    const { run, end } = start(gateway, 2, 1);
    await end;
    expect(gateway.waits).toContain(3_000);
    expect(run.state).toMatchObject({ accepted: 2, waits: 2, repeats: 2, refused: 0, ended: 2 });
  });

  it('gives up what is never answered, and says why something was refused', async () => {
    const gateway = new Gateway();
    gateway.answer = (_, sent) => (sent === 1 ? { outcome: 'refused', reason: 'bad' } : { outcome: 'unanswered' });
    const { run, end } = start(gateway, 2, 1);
    await end;
    expect(run.state).toMatchObject({
      ...{ phase: 'done', accepted: 0, refused: 2, repeats: 5 },
      refusals: [
        { reason: 'bad', count: 1 },
        { reason: 'no answer came', count: 1 },
      ],
    });
  });

  it('aborted, places no more and follows the rest; stopped, leaves it open', async () => {
    const gateway = new Gateway();
    gateway.answer = (order, sent) => {
      if (sent === 4) run.abort();
      return gateway.accept(order);
    };
    const { run, end } = start(gateway, 1_000, 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(run.state).toMatchObject({ phase: 'following', isAborted: true });
    expect(gateway.placed.length).toBeLessThan(8);
    gateway.tell('stress-t-1', 'completed', 5);
    run.stop();
    await end;
    expect(run.state).toMatchObject({ phase: 'done', ended: 1 });
    expect(run.state.open).toBe(gateway.placed.length - 1);
  });

  it('looks less and less often while nothing happens', async () => {
    const gateway = new Gateway();
    const { run, end } = start(gateway, 1);
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    run.stop();
    await end;
    expect(gateway.waits.slice(0, 6)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });
});

describe('the figures', () => {
  it('are nothing of nothing', () => {
    expect(figuresOf(newTally(5, 0))).toMatchObject({ acceptedPerS: 0, endedPerS: 0, answerMs: null, completionMs: null, open: 0 });
  });

  it('are rates over the time that it took', () => {
    const tally = { ...newTally(100, 1_000), accepted: 50, lastAcceptedAtMs: 3_000, lastEndedAtMs: 11_000 };
    tally.ends.completed = 40;
    expect(figuresOf(tally)).toMatchObject({ acceptedPerS: 25, endedPerS: 4, open: 10 });
  });

  it('have percentiles that were measured', () => {
    expect(figuresOf({ ...newTally(3, 0), answerMs: [9, 7, 8], completionMs: [5] })).toMatchObject({
      answerMs: { p50: 8, p95: 9, p99: 9, max: 9 },
      completionMs: { p50: 5, p95: 5, p99: 5, max: 5 },
    });
  });

  it('list the most frequent reasons', () => {
    const tally = newTally(9, 0);
    for (const [index, reason] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) tally.refusals.set(reason, index + 1);
    const { refused, refusals } = figuresOf(tally);
    expect(refused).toBe(21);
    expect(refusals.map(({ reason }) => reason)).toEqual(['f', 'e', 'd', 'c', 'b']);
  });
});
