import { describe, expect, it } from 'vitest';
import type { ClusterJson, NodeJson } from '#gateway/api-cluster.ts';
import { type ClusterSeen, lookAgain } from './happenings.ts';

const AT = '2026-01-01T10:00:00.000Z';

function node(name: string, fields: Partial<NodeJson> = {}): NodeJson {
  return {
    ...{ name, node_id: `id-${name}`, connected: true, last_activity: AT, warehouse: 'HCM', slots: 50, busy: 0, session: 1, state: 'live' },
    ...{ is_leader: false, liveness: true, lease_ms: 2_500, takeovers: 0, handed_over: 0, fenced_writes: 0, version: '1', host: 'vm' },
    started_at: AT,
    ...fields,
  };
}

function dead(name: string, reason: string, fields: Partial<NodeJson> = {}): NodeJson {
  return node(name, { state: 'dead', connected: false, ended_at: '2026-01-01T10:00:09.000Z', ended_reason: reason, ...fields });
}

function cluster(nodes: NodeJson[], warehouses: ClusterJson['warehouses'] = [{ name: 'HCM', status: 'OK' }]): ClusterJson {
  return { nodes_count: nodes.length, nodes, warehouses, generated_at: AT };
}

function lookAt(...answers: ClusterJson[]): ClusterSeen {
  const [first, ...others] = answers as [ClusterJson, ...ClusterJson[]];
  return others.reduce(lookAgain, lookAgain(undefined, first));
}

function textsOf(...answers: ClusterJson[]): string[] {
  return lookAt(...answers).happenings.map(({ text }) => text);
}

describe('what happened in the cluster', () => {
  it('tells nothing of the first answer, and nothing of one that is the same', () => {
    expect(textsOf(cluster([node('a')]))).toEqual([]);
    expect(textsOf(cluster([node('a')]), cluster([node('a', { busy: 7, lease_ms: 100 })]))).toEqual([]);
  });

  it('tells of a node that joins, with the time when it began', () => {
    const seen = lookAt(cluster([]), cluster([node('a', { started_at: '2026-01-01T10:00:05.000Z' })]));
    expect(seen.happenings).toMatchObject([
      { text: 'a joined with 50 slots', at: '2026-01-01T10:00:05.000Z', warehouse: 'HCM', nodeId: 'id-a', tone: 'good' },
    ]);
  });

  it.each([
    ['connection_lost', 'a is gone: its connection ended; others go on with its orders', 'bad'],
    ['expired', 'a is gone: its lease ran out; others go on with its orders', 'bad'],
    ['left', 'a left in good order; what it still had was handed back', 'calm'],
    ['transfer', 'a was relieved by hand; others go on with its orders', 'calm'],
    ['of_old_age', 'a ended: of_old_age', 'bad'],
  ])('tells how a node ended: %s', (reason, text, tone) => {
    const { happenings } = lookAt(cluster([node('a')]), cluster([dead('a', reason)]));
    expect(happenings).toMatchObject([{ text, tone, at: '2026-01-01T10:00:09.000Z' }]);
  });

  it('tells an end once', () => {
    expect(textsOf(cluster([node('a')]), cluster([dead('a', 'left')]), cluster([dead('a', 'left')]))).toHaveLength(1);
  });

  it('tells of a session that began and ended between two looks', () => {
    expect(textsOf(cluster([node('a')]), cluster([dead('a', 'expired', { session: 2 })]))).toEqual([
      'a is gone: its lease ran out; others go on with its orders',
    ]);
  });

  it('tells a new life from a return', () => {
    expect(textsOf(cluster([node('a')]), cluster([node('a', { session: 4 })]))).toEqual(['a began a new life, session 4 after 1']);
    expect(textsOf(cluster([dead('a', 'left')]), cluster([node('a', { session: 4 })]))).toEqual(['a is back, as session 4']);
  });

  it('tells a takeover with the orders that went on elsewhere', () => {
    const before = cluster([node('a'), node('b', { takeovers: 1, handed_over: 3 })]);
    const after = cluster([dead('a', 'connection_lost'), node('b', { takeovers: 2, handed_over: 10 })]);
    expect(textsOf(before, after)).toContain('b noticed an end and handed 7 orders on to others');
  });

  it('takes counters that began anew for no takeover', () => {
    const before = cluster([node('b', { takeovers: 5, handed_over: 30, fenced_writes: 9 })]);
    expect(textsOf(before, cluster([node('b')]))).toEqual([]);
  });

  it('tells of late writes that were refused', () => {
    expect(textsOf(cluster([node('a')]), cluster([node('a', { fenced_writes: 1 })]))).toEqual([
      'a: 1 late write was refused, the orders were no longer its own',
    ]);
  });

  it('tells what was asked of a node once, however the answer shows it first', () => {
    const draining = node('a', { asked: 'drain', state: 'draining' });
    expect(textsOf(cluster([node('a')]), cluster([node('a', { asked: 'drain' })]), cluster([draining]), cluster([node('a')]))).toEqual([
      'a takes orders again',
      'a drains: it finishes what it has and takes nothing new',
    ]);
    expect(textsOf(cluster([node('a')]), cluster([node('a', { asked: 'stop' })]))).toEqual([
      'a stops: it finishes or hands back what it has, and leaves',
    ]);
  });

  it('tells of another leader', () => {
    const led = (id: string): ClusterJson =>
      cluster([node('a'), node('b')], [{ name: 'HCM', status: 'OK', leader_node_id: `id-${id}`, leader_name: id }]);
    expect(textsOf(led('a'), led('b'), led('b'))).toEqual(['b leads now']);
  });

  it('does not take nodes for gone whose warehouse does not answer', () => {
    const silent = cluster([], [{ name: 'HCM', status: 'unavailable' }]);
    expect(textsOf(cluster([node('a')]), silent, silent, cluster([node('a')]))).toEqual([
      'answers again',
      'does not answer; what its nodes do is not seen',
    ]);
    expect(textsOf(cluster([node('a')]), silent, cluster([dead('a', 'expired')]))[0]).toMatch('a is gone');
  });

  it('tells of a node that is not listed any more', () => {
    expect(textsOf(cluster([node('a')]), cluster([]))).toEqual(['a is gone']);
    expect(textsOf(cluster([dead('a', 'left')]), cluster([]))).toEqual([]);
  });

  it('keeps a hundred, the newest, each with a number of its own', () => {
    const answers = Array.from({ length: 151 }, (_, index) => cluster([node('a', { session: index + 1 })]));
    const { happenings } = lookAt(...answers);
    expect(happenings).toHaveLength(100);
    expect(new Set(happenings.map(({ id }) => id)).size).toBe(100);
    expect(happenings[0]?.text).toBe('a began a new life, session 151 after 150');
  });
});
