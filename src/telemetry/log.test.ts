import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from './log.ts';

function collect(options: Partial<LogOptions> & { isTTY?: boolean } = {}) {
  const chunks: string[] = [];
  const output = { write: (text: string) => chunks.push(text), isTTY: options.isTTY ?? false };
  const log = createLog({ level: 'debug', format: 'json', output, env: {}, ...options });
  return { log, text: () => chunks.join('') };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\n{"level":"error"}', '\u001b[2J\u009b1m', '\u2028x', '\r\nINFO: fine', '"\\'),
);

describe('a log', () => {
  it('writes one JSON object a line, ids as fields', () => {
    const { log, text } = collect();
    log.child({ node: 'n1', session: 7 }).info({ order: 'o1', step: 'Scheduling' }, 'step completed');
    expect(JSON.parse(text())).toMatchObject({
      level: 'info',
      node: 'n1',
      session: 7,
      order: 'o1',
      step: 'Scheduling',
      msg: 'step completed',
    });
    expect(JSON.parse(text()).time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('writes exactly one harmless line for whatever a value holds, and keeps the value', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const { log, text } = collect();
        log.warn({ order: value, nested: { deep: [value] } }, 'odd');
        expect(text().match(/\n/g)).toHaveLength(1);
        expect(text()).not.toMatch(CONTROLS);
        if (value.isWellFormed()) expect(JSON.parse(text()).order).toBe(value);
      }),
    );
  });

  it('writes one harmless line for people too', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const { log, text } = collect({ format: 'pretty' });
        log.info({ order: value, [value]: 1 }, 'odd');
        expect(text().match(/\n/g)).toHaveLength(1);
        expect(text()).not.toMatch(CONTROLS);
      }),
    );
  });

  it('lets no message or stack of an error begin a line of its own', () => {
    const { log, text } = collect({ format: 'pretty' });
    log.error({ error: new Error('first\n[00:00:00.000] INFO: forged\u001b[2K') }, 'failed');
    for (const line of text().split('\n').slice(1)) expect(line).toMatch(/^( {4}|$)/);
    expect(text()).not.toMatch(CONTROLS);
  });

  it.each(['json', 'pretty'] as const)('hides secrets wherever they stand (%s)', (format) => {
    const { log, text } = collect({ format });
    const token = `cvy_${'a'.repeat(43)}`;
    log.info(
      {
        url: 'postgres://conveyor:canary1@db/x',
        authorization: 'canary2',
        headers: { authorization: 'canary3' },
        req: { headers: { cookie: 'canary4' } },
        res: { headers: { 'set-cookie': 'conveyor_session=canary7' } },
      },
      'x',
    );
    log.error(
      { error: new Error('cannot reach postgres://u:canary5@h/d'), password: 'canary6', note: `Bearer ${token}` },
      `token ${token}`,
    );
    expect(text()).not.toMatch(/canary|aaaa/);
    expect(text()).toContain('postgres://conveyor:***@db/x');
  });

  it('is not slowed down by any text', () => {
    const { log } = collect();
    const startedAt = performance.now();
    for (const part of ['a', 'a://b:', ':', '//', 'cvy_', '\u001b']) log.info({ detail: part.repeat(65_536 / part.length) }, 'long');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('is coloured on a terminal only, and not with NO_COLOR', () => {
    const linesOf = (options: Parameters<typeof collect>[0]): string => {
      const { log, text } = collect({ format: 'pretty', ...options });
      log.info({}, 'hello');
      return text();
    };
    expect(linesOf({ isTTY: true })).toContain('\u001b[');
    for (const options of [{ isTTY: false }, { isTTY: true, env: { NO_COLOR: '1' } }]) {
      const line = linesOf(options);
      expect(line).toBe(stripVTControlCharacters(line));
    }
  });

  it('leaves out what is below its level', () => {
    const { log, text } = collect({ level: 'warn' });
    log.info({}, 'quiet');
    expect(text()).toBe('');
  });
});
