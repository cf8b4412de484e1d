import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ORDER_STATUSES } from '#domain/order-state.ts';
import { faultsIn, filterOf, type OrderQuery, parseQuery, printQuery } from './query.ts';

const NODE = '644e9e08-f267-4641-a39b-dd20bbee53bb';
const NOW = Date.parse('2026-11-21T12:00:00.000Z');

const messagesOf = (text: string): string[] => parseQuery(text, NOW).faults.map(({ part, message }) => `${part} → ${message}`);

describe('what is typed', () => {
  it.each<[string, OrderQuery]>([
    ['', {}],
    ['   ', {}],
    ['status:failed region:HN since:1h', { status: 'failed', region: 'HN', since: '1h' }],
    ['STATUS:Failed', { status: 'failed' }],
    ['status:running', { status: 'processing' }],
    ['status:waiting', { status: 'queued' }],
    ['status:needs-attention', { status: 'needs_attention' }],
    ['0199F3C2', { id: '0199f3c2' }],
    ['0199f3c2-8d', { id: '0199f3c2-8d' }],
    ['abc', { customer: 'abc' }],
    ['dead-beef', { customer: 'dead-beef' }],
    ['"cafe"', { customer: 'cafe' }],
    ['An Nguyễn', { customer: 'An Nguyễn' }],
    ['An status:failed Nguyễn', { status: 'failed', customer: 'An Nguyễn' }],
    ['customer:"An \\"the\\" Nguyễn"', { customer: 'An "the" Nguyễn' }],
    ['customer_name:An tracking_id:T-1', { customer: 'An', tracking: 'T-1' }],
    ['customer:a:b', { customer: 'a:b' }],
    [`node:${NODE.toUpperCase()}`, { node: NODE }],
    ['since:2026-11-21T10:00:00Z until:2026-11-21T11:00:00+00:00', { since: '2026-11-21T10:00:00Z', until: '2026-11-21T11:00:00+00:00' }],
  ])('%s', (text, query) => {
    expect(parseQuery(text, NOW)).toEqual({ query, faults: [] });
  });
});

describe('what is wrong is said, and left out', () => {
  it.each([
    ['colour:red', /^colour:red → Orders are not searched by “colour”\. Known are status, id, .*in quotes\.$/],
    ['constructor:x', /Orders are not searched by “constructor”/],
    ['status:broken', /No order has the status “broken”\. Known are queued, processing/],
    ['status:', /A value is missing, as in status:failed/],
    ['status:failed status:queued', /status:queued → status is given twice/],
    ['customer:An Bình', /Bình → customer is given twice/],
    ['id:12', /“12” is not the beginning of an order id: at least 4/],
    ['id:xyz1', /not the beginning of an order id/],
    ['node:vm-HCM', /“vm-HCM” is not the id of a node\. Type node: and choose/],
    ['since:yesterday', /since is “yesterday”; a span such as 15m/],
    ['since:2026-02-30', /since is “2026-02-30”/],
    ['until:2h since:1h', /Nothing is between the two/],
    ['customer:"An', /customer:"An → The closing quote is missing/],
    ['"An"Bình', /After the closing quote a space is expected/],
    ['customer:""', /customer is empty/],
    [`symbol:${'x'.repeat(33)}`, /symbol has 33 characters; 32 are possible/],
    ['step:Processing status:completed', /Only open orders are at a step; completed ones have ended/],
  ])('%s', (text, message) => {
    expect(messagesOf(text).join('\n')).toMatch(message);
  });

  it('keeps the parts that are right', () => {
    expect(parseQuery('region:HN status:broken').query).toEqual({ region: 'HN' });
  });
});

describe('what the gateway finds wrong', () => {
  it('is said of the part that it is about', () => {
    const query = { status: 'failed', warehouse: 'X Y', customer: 'An' };
    expect(faultsIn(query, [{ field: 'warehouse', reason: 'must be one of HCM, HN' }])).toEqual([
      { part: 'warehouse:"X Y"', message: 'must be one of HCM, HN.' },
    ]);
    expect(faultsIn(query, [{ field: 'customer_name', reason: 'is odd' }])).toEqual([{ part: 'customer:An', message: 'is odd.' }]);
  });

  it('is not said where it is about nothing of the search', () => {
    expect(faultsIn({ status: 'failed' }, [{ field: 'limit', reason: 'is too large' }])).toEqual([]);
    expect(faultsIn({ status: 'failed' }, [{ field: 'warehouse', reason: 'must be one of HCM' }])).toEqual([]);
  });
});

describe('what the API is asked', () => {
  it('has its names, and moments instead of spans', () => {
    const { query } = parseQuery('customer:An tracking:T since:1h until:2026-11-21T11:59:00Z', NOW);
    expect(filterOf(query, NOW)).toEqual({
      customer_name: 'An',
      tracking_id: 'T',
      since: '2026-11-21T11:00:00.000Z',
      until: '2026-11-21T11:59:00.000Z',
    });
  });

  it('reads a date without a zone as the reader’s', () => {
    expect(filterOf({ since: '2026-11-21' }, NOW)['since']).toBe(new Date(2026, 10, 21).toISOString());
    expect(filterOf({ since: '2026-11-21 08:30' }, NOW)['since']).toBe(new Date(2026, 10, 21, 8, 30).toISOString());
  });
});

describe('printing and parsing', () => {
  const word = (max: number): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', minLength: 1, maxLength: Math.floor(max / 8) });
  const anyQuery: fc.Arbitrary<OrderQuery> = fc.record(
    {
      status: fc.constantFrom('queued', 'processing', 'rolling_back', 'held'),
      id: fc.uuid().chain((id) => fc.integer({ min: 4, max: 36 }).map((length) => id.slice(0, length))),
      tracking: word(255),
      customer: word(200),
      symbol: word(32),
      region: word(64),
      warehouse: word(32),
      step: word(64),
      node: fc.uuid(),
      since: fc.constantFrom('7d', '24h', '2026-11-20T10:00:00Z'),
      until: fc.constantFrom('15m', '1h', '90s'),
    },
    { requiredKeys: [] },
  );

  it('gives back every query', () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        expect(parseQuery(printQuery(query), NOW)).toEqual({ query, faults: [] });
      }),
    );
  });

  it('never throws, and what it prints it prints again', () => {
    const noise = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('status', ':', '"', '\\', ' ', 'failed', 'a', 'since', '1h', 'customer', '\n', 'é') }),
    );
    fc.assert(
      fc.property(noise, (text) => {
        const printed = printQuery(parseQuery(text, NOW).query);
        expect(printQuery(parseQuery(printed, NOW).query)).toBe(printed);
      }),
    );
  });

  it('knows every status there is', () => {
    for (const status of ORDER_STATUSES) expect(parseQuery(`status:${status}`)).toEqual({ query: { status }, faults: [] });
  });
});
