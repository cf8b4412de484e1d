import { describe, expect, it } from 'vitest';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { wordsOf } from './words.ts';

function node(id: string, fields: Partial<NodeJson> = {}): NodeJson {
  return { node_id: id, warehouse: 'HN', state: 'live', connected: true, busy: 3, ...fields } as NodeJson;
}

const ask = { id: 'a', name: 'vm-a', warehouse: 'HN' };

describe('what the dialogs say', () => {
  it('says how many orders a node has, of its living sessions only', () => {
    const dead = node('a', { state: 'dead', busy: 9 });
    expect(wordsOf({ does: 'drain', ...ask }, [node('a'), dead, node('b')]).says).toEqual([
      'It finishes what it has (3 orders now) and takes nothing new. It stays in the cluster until it is resumed or stopped.',
    ]);
    expect(wordsOf({ does: 'stop', ...ask }, [node('a', { busy: 1 })]).says[0]).toMatch('it has 1 order now');
    expect(wordsOf({ does: 'transfer', ...ask }, [node('a', { busy: 0 })]).says[0]).toMatch('(no orders now)');
  });

  it('warns where no other node takes orders', () => {
    const alone = 'No other node of HN takes orders: they wait until one does.';
    for (const does of ['drain', 'stop', 'transfer'] as const) {
      expect(wordsOf({ does, ...ask }, [node('a'), node('b')]).says).not.toContain(alone);
      expect(wordsOf({ does, ...ask }, [node('a'), node('b', { state: 'draining' }), node('c', { warehouse: 'DN' })]).says).toContain(
        alone,
      );
      expect(wordsOf({ does, ...ask }, [node('a'), node('b', { connected: false })]).says).toContain(alone);
    }
    expect(wordsOf({ does: 'resume', ...ask }, [node('a')]).says).toEqual(['It takes orders again.']);
  });

  it('names what is asked about, and marks what cannot be taken back', () => {
    expect(wordsOf({ does: 'transfer', ...ask }, [])).toMatchObject({ title: 'Transfer the orders of vm-a', isDangerous: true });
    expect(wordsOf({ does: 'disable', warehouse: 'HN' }, [])).toMatchObject({ title: 'Disable HN', verb: 'Disable', isDangerous: true });
    expect(wordsOf({ does: 'enable', warehouse: 'HN' }, [])).toMatchObject({ title: 'Enable HN', isDangerous: false });
    expect(wordsOf({ does: 'resolve', conflict: 'x' }, [])).toMatchObject({ verb: 'Resolve' });
  });
});
