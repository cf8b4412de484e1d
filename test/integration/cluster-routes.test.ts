import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NodeDescription, Role } from '#engine/store.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';
import { describeNode, loadOf, TTL_MS } from '../conformance/support.ts';

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the test asks of them
  body: any;
}

describe('the routes of operators', () => {
  let gateway: TestGateway;
  let sessions: number[] = [];
  beforeAll(async () => {
    gateway = await openTestGateway({
      join: {
        databases: new Map([['HCM', 'postgres://conveyor:secret@127.0.0.1:5432/hcm']]),
        databasesAreHere: true,
        needsToken: false,
        schema: '0002_cluster',
        simulation: { stepDurationMs: 5_000, failureRate: 0.05 },
      },
    });
  });
  afterEach(async () => {
    await gateway.store.endSessions(sessions, 'left');
    sessions = [];
  });
  afterAll(() => gateway.close());

  async function call(method: 'GET' | 'POST', path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: 'operator', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async function openNode(changes: Partial<NodeDescription> = {}): Promise<{ session: number; nodeId: string }> {
    const node = describeNode(changes);
    const session = await gateway.store.openSession(node, TTL_MS);
    sessions.push(session);
    return { session, nodeId: node.nodeId };
  }

  const submit = async (body: object = {}): Promise<string> =>
    (await call('POST', '/orders', body, { authorization: 'user' })).body.order_id;
  const lastAudit = async (): Promise<Record<string, unknown>> => (await call('GET', '/audit?limit=1')).body.entries[0];

  it('GET /diagnostic/cluster shows nodes, sessions and the one leader, by their names in the contract', async () => {
    const { session, nodeId } = await openNode({ nodeName: 'anna', address: 'http://127.0.0.1:8765', slots: 7 });
    const other = await openNode({ nodeName: 'bert' });
    await gateway.store.tick(
      session,
      TTL_MS,
      loadOf({ busy: 3, leading: { term: undefined, worked: true }, counts: { fencedWrites: 4, takeovers: 2, handedOver: 9 } }),
    );
    const { status, body } = await call('GET', '/diagnostic/cluster');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      leader_name: 'anna',
      nodes_count: 2,
      warehouses: [{ name: 'HCM', leader_name: 'anna', leader_node_id: nodeId, nodes: 2, slots: 57, busy: 3, status: 'OK' }],
    });
    const [anna, bert] = body.nodes;
    expect(anna).toMatchObject({
      ...{
        name: 'anna',
        node_id: nodeId,
        connection_string: 'http://127.0.0.1:8765',
        connected: true,
        warehouse: 'HCM',
        slots: 7,
        busy: 3,
        session,
      },
      ...{ state: 'live', is_leader: true, liveness: false, takeovers: 2, handed_over: 9, fenced_writes: 4 },
    });
    expect(bert).toMatchObject({ name: 'bert', session: other.session, is_leader: false });
    expect(JSON.stringify(body)).not.toContain('postgres://');
    await gateway.store.endSessions([other.session], 'left');
    const after = (await call('GET', '/diagnostic/cluster')).body;
    expect(after.nodes_count).toBe(1);
    expect(after.nodes[1]).toMatchObject({ name: 'bert', connected: false, state: 'dead', ended_reason: 'left' });
  });

  it('GET /diagnostic/cluster needs no token on a development start, but answers no page of another site and no customer', async () => {
    const open = await fetch(`${gateway.url}/diagnostic/cluster`);
    expect(open.status).toBe(200);
    expect((await fetch(`${gateway.url}/diagnostic/cluster`, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await fetch(`${gateway.url}/diagnostic/cluster`, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
    expect((await call('GET', '/diagnostic/cluster', undefined, { authorization: 'user' })).status).toBe(403);
  });

  it('I5 I6: POST /service/transfer hands the orders of a live node to the others; its late writes are refused', async () => {
    const { session, nodeId } = await openNode();
    const orderId = await submit();
    const [claimed] = await gateway.store.claimOrders(session, 10);
    expect(claimed?.orderId).toBe(orderId);
    const { status, body } = await call('POST', '/service/transfer', { service_id: nodeId.toUpperCase(), reason: 'it is slow' });
    expect({ status, body }).toEqual({
      status: 200,
      body: { current_service_id: expect.any(String), transferred_service_id: nodeId, orders: 1 },
    });
    expect(await gateway.store.tick(session, TTL_MS, loadOf())).toBeUndefined();
    const { fence = 0, version = 0 } = claimed ?? {};
    const late = {
      orderId,
      fence,
      version: version + 1,
      kind: 'step_completed',
      step: 1,
      direction: 'forward',
      data: null,
      closing: undefined,
    } as const;
    expect(await gateway.store.advanceOrders(session, [late])).toEqual(['fenced']);
    expect(await lastAudit()).toMatchObject({
      actor: 'operator',
      action: 'node.transfer',
      target: nodeId,
      reason: 'it is slow',
      warehouse: 'HCM',
    });
    const order = (await call('GET', `/orders/${orderId}`)).body;
    expect(order).toMatchObject({ status: 'queued' });
    await call('POST', `/orders/${orderId}/cancel`, {});
  });

  it('POST /nodes/{id}/drain, stop and resume ask the node, which learns of it with its tick', async () => {
    const { session, nodeId } = await openNode();
    const askedOf = async (): Promise<string | undefined> => (await gateway.store.tick(session, TTL_MS, loadOf()))?.asked;
    for (const [verb, asked] of [
      ['drain', 'drain'],
      ['resume', undefined],
      ['stop', 'stop'],
    ] as const) {
      const { status, body } = await call('POST', `/nodes/${nodeId}/${verb}`, { reason: 'maintenance' });
      expect({ status, asked: body.asked, node: body.node_id }).toEqual({ status: 202, asked, node: nodeId });
      expect(await askedOf()).toBe(asked);
      expect(await lastAudit()).toMatchObject({ action: `node.${verb}`, target: nodeId, reason: 'maintenance' });
    }
    await gateway.store.endSessions([session], 'left');
    expect(await call('POST', `/nodes/${nodeId}/drain`, {})).toMatchObject({ status: 409, body: { code: 'node-not-running' } });
  });

  it('refuses customers, unknown nodes and what is no id', async () => {
    const nodeId = randomUUID();
    const user = { authorization: 'user' };
    expect((await call('POST', '/service/transfer', { service_id: nodeId }, user)).status).toBe(403);
    expect((await call('POST', `/nodes/${nodeId}/drain`, {}, user)).status).toBe(403);
    expect((await call('GET', '/audit', undefined, user)).status).toBe(403);
    expect(await call('POST', '/service/transfer', { service_id: nodeId })).toMatchObject({
      status: 404,
      body: { code: 'node-not-found' },
    });
    expect(await call('POST', `/nodes/${nodeId}/stop`, {})).toMatchObject({ status: 404, body: { code: 'node-not-found' } });
    const wrong = (field: string) => ({ status: 400, body: { errors: [{ field, reason: 'must be a UUID' }] } });
    expect(await call('POST', '/service/transfer', { service_id: 'x' })).toMatchObject(wrong('/service_id'));
    expect(await call('POST', '/nodes/x/drain', {})).toMatchObject(wrong('/id'));
    expect((await call('POST', '/service/transfer', {})).status).toBe(400);
    expect((await call('POST', `/nodes/${nodeId}/drain`, { force: true })).status).toBe(400);
  });

  it('POST /orders/{id}/retry places the same content again, once, and says whose retry it is', async () => {
    const id = await submit({ symbol: 'ABC', quantity: 7, customer_name: 'Ann' });
    expect(await call('POST', `/orders/${id}/retry`, {}, { authorization: 'user' })).toMatchObject({
      status: 409,
      body: { code: 'order-state-conflict' },
    });
    await call('POST', `/orders/${id}/cancel`, {}, { authorization: 'user' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', `/orders/${id}/retry`, { reason: 'again' }, { authorization: 'user' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 202]);
    const [retry] = new Set(answers.map(({ body }) => body.order_id));
    expect(new Set(answers.map(({ body }) => body.order_id)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ status: 'queued', retry_of: id, symbol: 'ABC', quantity: 7, customer_name: 'Ann' });
    expect(await lastAudit()).toMatchObject({
      actor: 'user',
      action: 'order.retry',
      target: id,
      reason: 'again',
      detail: { order_id: retry },
    });
    expect((await call('GET', `/orders/${id}`)).body.status).toBe('cancelled');
    expect((await call('POST', `/orders/${randomUUID()}/retry`, {})).status).toBe(404);
    await call('POST', `/orders/${retry}/cancel`, {});
  });

  it('GET /audit pages through everything, newest first', async () => {
    for (let index = 0; index < 5; index += 1) await call('POST', `/orders/${await submit()}/cancel`, { reason: `no ${index}` });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await call('GET', `/audit?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body.entries.map((entry: { id: string }) => entry.id));
      cursor = body.next_cursor;
    } while (cursor);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual([...seen].sort().reverse());
    const newest = (await call('GET', '/audit?limit=5')).body.entries;
    expect(newest.map((entry: { reason: string }) => entry.reason)).toEqual(['no 4', 'no 3', 'no 2', 'no 1', 'no 0']);
  });

  it('an order that waits says why, by what the nodes do', async () => {
    const codeOf = async (id: string): Promise<string> => {
      // One look serves a second.
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      return (await call('GET', `/orders/${id}`)).body.waiting_because?.code;
    };
    const id = await submit();
    expect(await codeOf(id)).toBe('no_node');
    const stranger = await openNode({ workflows: [] });
    expect(await codeOf(id)).toBe('unknown_workflow_version');
    const { session } = await openNode({ slots: 2 });
    await gateway.store.tick(session, TTL_MS, loadOf({ busy: 2 }));
    expect(await codeOf(id)).toBe('no_free_slot');
    await gateway.store.tick(session, TTL_MS, loadOf({ busy: 1 }));
    expect(await codeOf(id)).toBe('not_started');
    await gateway.store.claimOrders(session, 100);
    expect(await codeOf(id)).toBeUndefined();
    await gateway.store.endSessions([session, stranger.session], 'transfer');
    await openNode();
    expect(await codeOf(id)).toBe('handed_over');
  });

  describe('POST /cluster/join', () => {
    const steps = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];
    const node = { node_name: 'n', version: '0.1.0', schema: '0002_cluster', workflows: [{ name: 'order', version: 1, steps }] };
    const join = (body: object, headers: Record<string, string> = {}): Promise<Answer> => call('POST', '/cluster/join', body, headers);

    it('answers the database and what the simulated steps do', async () => {
      expect(await join(node)).toEqual({
        status: 200,
        body: {
          warehouse: 'HCM',
          database_url: 'postgres://conveyor:secret@127.0.0.1:5432/hcm',
          simulation: { step_duration_ms: 5_000, failure_rate: 0.05 },
        },
      });
    });

    it('refuses a node of another schema or workflow, saying what differs and what to do', async () => {
      const refusals: [changes: object, detail: RegExp][] = [
        [
          { schema: '0001_core' },
          /knows the database schema 0001_core, the cluster has 0002_cluster: the node is older; install the newer version/,
        ],
        [{ schema: '0099_later' }, /the cluster is older; upgrade the gateways first/],
        [{ workflows: [] }, /new orders begin with workflow order version 1, but the node knows no version of it/],
        [{ workflows: [{ name: 'order', version: 9, steps }] }, /but the node knows version 9/],
        [{ workflows: [{ name: 'order', version: 1, steps: ['One'] }] }, /has the steps Scheduling, .* here, but One on the node/],
      ];
      for (const [changes, detail] of refusals) {
        const { status, body } = await join({ ...node, ...changes });
        expect({ status, code: body.code }).toEqual({ status: 409, code: 'incompatible-node' });
        expect(body.detail).toMatch(detail);
      }
    });

    it('answers no page of another site and no foreign host name', async () => {
      expect((await join(node, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
      expect((await join(node, { origin: 'http://evil.example' })).status).toBe(403);
    });
  });

  it('beyond loopback a node needs a token to join, which is good for nothing else', async () => {
    const beyond = await openTestGateway({
      developmentTokens: false,
      join: {
        databases: new Map([['HCM', 'postgres://conveyor:secret@127.0.0.1:5432/hcm']]),
        ...{ databasesAreHere: true, needsToken: true, schema: '0002_cluster', simulation: { stepDurationMs: 1, failureRate: 0 } },
      },
    });
    try {
      const tokenOf = async (role: Role): Promise<string> => {
        const token = `${role}-${randomUUID()}`;
        await beyond.store.tokens.create({ tokenId: randomUUID(), hash: createHash('sha256').update(token).digest(), name: role, role });
        return token;
      };
      const steps = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];
      const body = JSON.stringify({
        node_name: 'n',
        version: '0',
        schema: '0002_cluster',
        workflows: [{ name: 'order', version: 1, steps }],
      });
      const join = (authorization?: string): Promise<Response> =>
        fetch(`${beyond.url}/cluster/join`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        });
      expect((await join()).status).toBe(401);
      expect((await join('nobody')).status).toBe(401);
      expect((await join(await tokenOf('customer'))).status).toBe(403);
      const joinToken = await tokenOf('join');
      const answer = await join(`Bearer ${joinToken}`);
      expect(answer.status).toBe(200);
      // The name by which the gateway was reached leads to its databases too.
      expect(((await answer.json()) as { database_url: string }).database_url).toBe('postgres://conveyor:secret@127.0.0.1:5432/hcm');
      for (const path of ['/orders', '/diagnostic/cluster', '/audit'])
        expect((await fetch(`${beyond.url}${path}`, { headers: { authorization: joinToken } })).status).toBe(403);
      expect((await fetch(`${beyond.url}/diagnostic/cluster`)).status).toBe(401);
    } finally {
      await beyond.close();
    }
  });
});
