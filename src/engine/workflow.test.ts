import { describe, expect, it } from 'vitest';
import { WorkflowRegistry } from './registry.ts';
import { defineWorkflow, step } from './workflow.ts';

const run = () => null;
const named = (...names: string[]) => names.map((name) => step(name, { run }));

describe('a step', () => {
  it('has a minute and three retries, a minute apart, unless it says otherwise', () => {
    expect(step('Wrap', { run })).toMatchObject({ name: 'Wrap', timeoutMs: 60_000, retry: { retries: 3, delayMs: 60_000 } });
    expect(step('Wrap', { run, timeout: '5s', retry: { retries: 0, delay: 250 } })).toMatchObject({
      ...{ timeoutMs: 5_000, retry: { retries: 0, delayMs: 250 } },
    });
  });

  it.each([
    [{ timeout: 'soon' }, /timeout of step Wrap is "soon"/],
    [{ timeout: -1 }, /timeout of step Wrap is -1/],
    [{ timeout: '25d' }, /at most/],
    [{ timeout: Number.NaN }, /timeout of step Wrap/],
    [{ retry: { retries: -1, delay: '1s' } }, /retry.retries is -1/],
    [{ retry: { retries: 1.5, delay: '1s' } }, /retry.retries is 1.5/],
    [{ retry: { retries: 1, delay: 'x' } }, /retry.delay of step Wrap/],
  ])('refuses %o', (options, message) => {
    expect(() => step('Wrap', { run, ...options })).toThrow(message);
  });
});

describe('a workflow', () => {
  it.each([
    ['no name', { name: '', version: 1, steps: named('A') }, /workflow name ""/],
    ['a name with blanks', { name: 'a b', version: 1, steps: named('A') }, /workflow name "a b"/],
    ['version 0', { name: 'w', version: 0, steps: named('A') }, /version is 0/],
    ['a version too great', { name: 'w', version: 32_768, steps: named('A') }, /32768/],
    ['no step', { name: 'w', version: 1, steps: [] }, /0 steps/],
    ['a step without a name', { name: 'w', version: 1, steps: named('') }, /a step is called ""/],
    ['two steps of one name', { name: 'w', version: 1, steps: named('A', 'B', 'A') }, /two steps are called A/],
    ['a step called Completed', { name: 'w', version: 1, steps: named('Completed') }, /reserved/],
  ])('refuses %s', (_what, definition, message) => {
    expect(() => defineWorkflow(definition)).toThrow(message);
  });
});

describe('the registry', () => {
  const versions = [2, 10, 1].map((version) => defineWorkflow({ name: 'w', version, steps: named('A') }));
  const registry = new WorkflowRegistry(versions);

  it('finds each version, and the newest by number', () => {
    expect(registry.find('w', 2)).toBe(versions[0]);
    expect(registry.find('w', 3)).toBeUndefined();
    expect(registry.latest('w')).toBe(versions[1]);
    expect(registry.all()).toHaveLength(3);
  });

  it('says which workflows it knows when it does not know one, and refuses one twice', () => {
    expect(() => registry.latest('x')).toThrow(/no workflow is called x; known: w/);
    expect(() => new WorkflowRegistry([...versions, ...versions])).toThrow(/w version 2 is defined twice/);
  });
});
