import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration } from '#domain/time.ts';
import { findLeaseFault } from '#engine/lease.ts';
import { loadSettings, type SettingSources, SettingsError } from './load.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.ts';

const FALLBACKS = { logFormat: 'json', nodeName: 'host-1' };

function load(sources: Partial<SettingSources>, names: readonly SettingName[] = SETTING_NAMES): Settings {
  return loadSettings(names, { flags: {}, env: {}, file: undefined, fallbacks: FALLBACKS, ...sources }) as Settings;
}

function problemsOf(sources: Partial<SettingSources>, names?: readonly SettingName[]): readonly string[] {
  try {
    load(sources, names);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(load({})).toEqual({
      stepDurationMs: 5_000,
      failureRate: 0.05,
      slots: 50,
      port: 8080,
      host: '127.0.0.1',
      dataDir: '.conveyor',
      embedded: ['HCM', 'HN', 'DN'],
      rebalanceAt: 3,
      gateLimitMs: 30_000,
      webhookTargets: 'public',
      leaseTtlMs: 3_000,
      heartbeatMs: 750,
      leaseMarginMs: 600,
      liveness: 'on',
      opsHost: '127.0.0.1',
      drainTimeoutMs: 30_000,
      maxWaitingOrders: 4_000,
      nodeName: 'host-1',
      workflow: 'order',
      logLevel: 'info',
      logFormat: 'json',
      endpoint: 'http://localhost:8080',
    });
  });

  it('come from flags before environment before file before defaults', () => {
    const file = { slots: 3, stepDuration: '3s', failureRate: 0.3, port: 3 };
    const env = { CONVEYOR_SLOTS: '2', CONVEYOR_STEP_DURATION: '2s', CONVEYOR_FAILURE_RATE: '' };
    expect(load({ flags: { slots: '1' }, env, file })).toMatchObject({ slots: 1, stepDurationMs: 2_000, failureRate: 0.3, port: 3 });
  });

  it('report every problem at once, each on one line with name, value and what is allowed', () => {
    const problems = problemsOf({
      flags: { slots: '0', port: '80\n80' },
      env: { CONVEYOR_FAILURE_RATE: '1.5', CONVEYOR_LOG_LEVEL: 'loud' },
      file: { stepDuration: '5 parsecs' },
    });
    expect(problems).toEqual([
      'stepDuration in conveyor.config.ts is "5 parsecs"; allowed is a duration from 0ms to 1d, such as 250ms, 5s or 1m',
      'CONVEYOR_FAILURE_RATE is "1.5"; allowed is a number from 0 to 1',
      '--slots is "0"; allowed is a whole number from 1 to 1000',
      '--port is "80\\n80"; allowed is a whole number from 0 to 65535',
      'CONVEYOR_LOG_LEVEL is "loud"; allowed is one of debug, info, warn, error, silent',
    ]);
  });

  it('name warehouses and their fallbacks as lists, in every source alike', () => {
    const fallback = new Map([
      ['HN', ['DN', 'HCM']],
      ['DN', ['HN']],
    ]);
    expect(load({ env: { CONVEYOR_FALLBACK: 'HN=DN,HCM DN=HN' } }).fallback).toEqual(fallback);
    expect(load({ flags: { fallback: ['HN=DN,HCM', 'DN=HN'] } }).fallback).toEqual(fallback);
    expect(load({ file: { fallback: { HN: ['DN', 'HCM'], DN: 'HN' } } }).fallback).toEqual(fallback);
    for (const embedded of ['HCM HN', 'HCM,HN', ['HCM', 'HN']]) expect(load({ flags: { embedded } }).embedded).toEqual(['HCM', 'HN']);
    expect(load({ file: { warehouseWorkflow: { HN: 'express' } } }).warehouseWorkflow).toEqual(new Map([['HN', ['express']]]));
    for (const wrong of ['', 'HN', 'HN=', 'HN=DN HN=HCM', 'H N=DN', 'HN=D N!'])
      expect(problemsOf({ flags: { fallback: wrong === '' ? [] : wrong } })).toEqual([
        expect.stringMatching(/^--fallback is .*; allowed is NAME=VALUE/),
      ]);
    for (const wrong of ['HCM HCM', '-?', [], ['']])
      expect(problemsOf({ flags: { embedded: wrong } })).toEqual([expect.stringMatching(/^--embedded is .*; allowed is one or more/)]);
  });

  it('that a command does not use are not looked at', () => {
    expect(problemsOf({ env: { CONVEYOR_SLOTS: 'many' } }, ['endpoint'])).toEqual([]);
  });

  it('have no misspelt property in the file', () => {
    expect(problemsOf({ file: { stepDuraton: '1s' } as object })).toEqual([
      expect.stringMatching(/^"stepDuraton" in conveyor.config.ts is no setting/),
    ]);
  });

  it('of the lease are refused exactly where the engine refuses them', () => {
    const duration = (min: number) => fc.integer({ min, max: 12_000 });
    fc.assert(
      fc.property(duration(300), duration(50), duration(30), (ttlMs, heartbeatMs, marginMs) => {
        const flags = { leaseTtlMs: `${ttlMs}ms`, heartbeatMs: `${heartbeatMs}ms`, leaseMarginMs: `${marginMs}ms` };
        expect(problemsOf({ flags }).length > 0).toBe(findLeaseFault({ ttlMs, heartbeatMs, marginMs }) !== undefined);
      }),
    );
  });

  it('read back whatever value is allowed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 86_400_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ms, slots, rate) => {
          fc.pre(rate === 0 || rate >= 1e-99);
          const settings = load({ flags: { stepDurationMs: formatDuration(ms), slots: String(slots), failureRate: String(rate) } });
          expect(settings).toMatchObject({ stepDurationMs: ms, slots, failureRate: rate });
        },
      ),
    );
  });

  it('are a valid value or one line of problem, whatever is written', () => {
    const written = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('NaN', '-1', '1e999', '0x10', 'Infinity', '١', '5S', ' 7 ', '%00'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_NAMES), written, (name, text) => {
        const problems = problemsOf({ flags: { [name]: text } }, [name]);
        expect(problems.length).toBeLessThanOrEqual(1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
        for (const problem of problems) expect(problem).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        for (const problem of problems) expect(problem).toContain(`--${SETTINGS[name].flag}`);
      }),
    );
  });

  it('never show a secret', () => {
    expect(problemsOf({ env: { CONVEYOR_TOKEN: 'my secret token' } })[0]).not.toContain('secret token');
    expect(problemsOf({ flags: { endpoint: 'http://me:pa/ss@canary@host' } })[0]).not.toMatch(/pa\/ss|canary/);
  });
});
