import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, homeOfKey, loadOf, type RoutingSettings, rankWarehouses } from './routing.ts';

const SETTINGS: RoutingSettings = { fallback: new Map(), rebalanceAt: 3, defaultRegion: undefined };
const TROUBLE = { OK: undefined, no_nodes: 'has no live node', disabled: 'is disabled', unavailable: 'is down' } as const;

function warehouse(name: string, changes: Partial<Candidate> = {}): Candidate {
  const { health = 'OK' } = changes;
  return { name, health, trouble: TROUBLE[health], backlog: 0, slots: 50, ...changes };
}

const NAMES = ['HCM', 'HN', 'DN', 'CT', 'SG'];
const anyWarehouses = fc
  .array(
    fc.record({
      health: fc.constantFrom('OK' as const, 'no_nodes' as const, 'disabled' as const, 'unavailable' as const),
      backlog: fc.integer({ min: 0, max: 10_000 }),
      slots: fc.integer({ min: 0, max: 200 }),
    }),
    { minLength: 1, maxLength: NAMES.length },
  )
  .map((rows) => rows.map((row, index) => warehouse(NAMES[index] as string, row)));

const names = (home: string | undefined, candidates: Candidate[], changes: Partial<RoutingSettings> = {}, random = () => 0.5): string[] =>
  rankWarehouses({ home, byKey: false, spread: undefined }, candidates, { ...SETTINGS, ...changes }, random).map(({ name }) => name);

describe('routing of new orders', () => {
  it('a healthy home comes first, without a reason to write down', () => {
    const ranked = rankWarehouses(
      { home: 'HN', byKey: false, spread: undefined },
      [warehouse('HCM'), warehouse('HN'), warehouse('DN')],
      SETTINGS,
      () => 0,
    );
    expect(ranked[0]).toEqual({ name: 'HN', because: null });
  });

  it.each([
    ['unavailable', 'HN is down; its fallback list names DN'],
    ['disabled', 'HN is disabled; its fallback list names DN'],
    ['no_nodes', 'HN has no live node; its fallback list names DN'],
  ] as const)('a home that is %s is passed over for its fallback list, which says why', (health, message) => {
    const candidates = [warehouse('HCM'), warehouse('HN', { health }), warehouse('DN', { backlog: 40 })];
    const fallback = new Map([['HN', ['DN', 'HCM']]]);
    const [first] = rankWarehouses({ home: 'HN', byKey: false, spread: undefined }, candidates, { ...SETTINGS, fallback }, () => 0);
    expect(first).toEqual({ name: 'DN', because: { code: 'fallback', message } });
    expect(names('HN', candidates, { fallback }).slice(0, 2)).toEqual(['DN', 'HCM']);
  });

  it('the fallback list is used in its order, without those that are not healthy', () => {
    const candidates = [
      warehouse('HCM'),
      warehouse('HN', { health: 'unavailable' }),
      warehouse('DN', { health: 'no_nodes' }),
      warehouse('CT'),
    ];
    expect(names('HN', candidates, { fallback: new Map([['HN', ['DN', 'CT', 'HCM']]]) })).toEqual(['CT', 'HCM', 'DN']);
  });

  it('a home with too much to do is left from the threshold on, and only when it is busy at all', () => {
    const at = (backlog: number, other: number, rebalanceAt = 3): string =>
      names('HN', [warehouse('HN', { backlog }), warehouse('DN', { backlog: other })], { rebalanceAt })[0] as string;
    expect(at(500, 100)).toBe('DN');
    expect(at(300, 100)).toBe('HN');
    expect(at(500, 100, 0)).toBe('HN');
    expect(at(99, 1)).toBe('HN');
    expect(at(100, 0)).toBe('DN');
  });

  it('of two that chance picks, the less loaded one gets an order without region; a third is not looked at', () => {
    const candidates = [warehouse('HCM', { backlog: 500 }), warehouse('HN', { backlog: 50 }), warehouse('DN', { backlog: 10 })];
    const turns = (order: number[]) => () => order.shift() as number;
    expect(names(undefined, candidates, {}, turns([0.1, 0.2, 0.3]))[0]).toBe('HN');
    expect(names(undefined, candidates, {}, turns([0.1, 0.3, 0.2]))[0]).toBe('DN');
    expect(names(undefined, candidates, {}, turns([0.3, 0.1, 0.2]))[0]).toBe('DN');
  });

  it('whoever answers is named once, healthy ones before the others, disabled ones last; whoever is away never', () => {
    fc.assert(
      fc.property(
        anyWarehouses,
        fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.99 })),
        (candidates, home, stream) => {
          const ranked = names(home, candidates, {}, () => stream.next().value as number);
          const answering = candidates.filter(({ health }) => health !== 'unavailable').map(({ name }) => name);
          expect(ranked.toSorted()).toEqual(answering.toSorted());
          const grade = ranked.map((name) =>
            ['OK', 'no_nodes', 'disabled'].indexOf(candidates.find((one) => one.name === name)?.health ?? ''),
          );
          const ofOthers = grade.filter((_, index) => ranked[index] !== home);
          expect(ofOthers).toEqual(ofOthers.toSorted((a, b) => a - b));
          if (grade.includes(0)) expect(grade[0]).toBe(0);
        },
      ),
    );
  });

  it('two who rank for the same key agree, whatever chance says; a healthy home stays first unless it is overloaded', () => {
    fc.assert(
      fc.property(anyWarehouses, fc.string(), (candidates, spread) => {
        const all = candidates.map(({ name }) => name);
        const home = homeOfKey(spread, all);
        expect(homeOfKey(spread, all.toReversed())).toBe(home);
        const rank = (random: number) => rankWarehouses({ home, byKey: true, spread }, candidates, SETTINGS, () => random);
        expect(rank(0)).toEqual(rank(0.9));
        const own = candidates.find(({ name }) => name === home);
        if (own?.health === 'OK' && loadOf(own) < 2) expect(rank(0)[0]).toEqual({ name: home, because: null });
      }),
    );
  });

  it('keys without a region spread over all warehouses', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 3_000; n += 1) {
      const home = homeOfKey(`user key ${n}`, ['HCM', 'HN', 'DN']) as string;
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(850);
  });

  it('a home that is not healthy and takes its orders all the same says so', () => {
    const candidates = [warehouse('HN', { health: 'disabled' }), warehouse('DN', { health: 'no_nodes' })];
    expect(rankWarehouses({ home: 'HN', byKey: false, spread: undefined }, candidates, SETTINGS, () => 0)[0]).toEqual({
      name: 'HN',
      because: { code: 'home', message: 'it belongs to HN, which is disabled; no other warehouse is healthy' },
    });
  });

  it('says why an order is nowhere healthy', () => {
    const ranked = rankWarehouses(
      { home: undefined, byKey: false, spread: undefined },
      [warehouse('HCM', { health: 'unavailable' }), warehouse('HN', { health: 'no_nodes' })],
      SETTINGS,
      () => 0,
    );
    expect(ranked).toEqual([
      {
        name: 'HN',
        because: { code: 'last_resort', message: 'no warehouse is healthy; HN at least stores it, though it has no live node' },
      },
    ]);
  });
});
