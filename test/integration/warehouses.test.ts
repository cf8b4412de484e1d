import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newOrder, ORDER_WORKFLOW } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster } from '#test/warehouses.ts';

describe('several warehouses', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.open('HCM', 'HN', 'DN');
  });
  afterEach(() => cluster.close());

  const whereIs = async (orderId: string): Promise<string[]> => {
    const found = await Promise.all(
      cluster.warehouses.map(async ({ name, client }) => {
        const { rowCount } = await client.query('select from orders where order_id = $1', [orderId]);
        return rowCount ? [name] : [];
      }),
    );
    return found.flat();
  };

  it("orders are in their region's own database, and nowhere else", async () => {
    const gateway = await cluster.gatewayWithNodes();
    for (const region of ['HCM', 'HN', 'DN']) {
      for (const key of [undefined, randomUUID()]) {
        const { status, body } = await gateway.submit({ region }, key);
        expect({ status, body }).toMatchObject({ status: 202, body: { region, warehouse: region, routed_because: { code: 'home' } } });
        expect(await whereIs(body.order_id)).toEqual([region]);
        const read = await gateway.ask('GET', `/orders/${body.order_id}`);
        expect(read.body).toMatchObject({ region, warehouse: region, routed_because: { code: 'home' } });
      }
    }
  });

  it('an unknown region is refused with the known ones, unless a default is configured', async () => {
    await cluster.nodes();
    const strict = await cluster.gateway();
    const { status, body } = await strict.submit({ region: 'SG' });
    expect({ status, body }).toMatchObject({
      status: 400,
      body: {
        code: 'invalid-request',
        detail: 'no warehouse serves the region "SG"; known regions: HCM, HN, DN',
        errors: [{ field: '/region' }],
      },
    });
    const lenient = await cluster.gateway({ routing: { defaultRegion: 'DN' } });
    expect((await lenient.submit({ region: 'SG' })).body).toMatchObject({
      region: 'SG',
      warehouse: 'DN',
      routed_because: { code: 'default_region' },
    });
  });

  it('a disabled warehouse gets no new orders, its fallback list does; both are said, recorded, and undone by enabling', async () => {
    await cluster.nodes();
    const gateway = await cluster.gateway({ routing: { fallback: new Map([['HN', ['DN', 'HCM']]]) } });
    const disabled = await gateway.ask('POST', '/warehouses/HN/disable', { body: { reason: 'storage is moved' } });
    expect(disabled).toMatchObject({
      status: 200,
      body: { name: 'HN', status: 'disabled', disabled: { by: 'operator', reason: 'storage is moved' } },
    });
    for (const key of [undefined, randomUUID()]) {
      const { body } = await gateway.submit({ region: 'HN' }, key);
      expect(body).toMatchObject({
        warehouse: 'DN',
        routed_because: { code: 'fallback', message: 'HN is disabled; its fallback list names DN' },
      });
      expect(await whereIs(body.order_id)).toEqual(['DN']);
      expect((await gateway.ask('GET', `/orders/${body.order_id}`)).body).toMatchObject({ routed_because: body['routed_because'] });
      if (key) expect(await gateway.submit({ region: 'HN' }, key)).toMatchObject({ status: 200, body: { order_id: body.order_id } });
    }
    const other = await cluster.gateway();
    expect(await other.statusOf('HN')).toBe('disabled');
    expect((await gateway.ask('POST', '/warehouses/HN/enable', { body: {} })).body).toMatchObject({ status: 'OK' });
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN' });
    const audit = (await gateway.ask('GET', '/audit')).body['entries'] as { action: string; target: string }[];
    expect(audit.map(({ action, target }) => `${action} ${target}`)).toEqual(['warehouse.enable HN', 'warehouse.disable HN']);
    expect(await gateway.ask('POST', '/warehouses/MARS/disable', { body: {} })).toMatchObject({
      status: 404,
      body: { code: 'warehouse-not-found' },
    });
    expect((await gateway.ask('POST', '/warehouses/HN/disable', { token: 'user', body: {} })).status).toBe(403);
    expect((await gateway.ask('GET', '/warehouses', { token: 'user' })).status).toBe(403);
  });

  it('I1: without nodes its new orders go elsewhere, its queued ones say so, and run when a node joins', async () => {
    const [, , lastOfDn] = await cluster.nodes({ stepMs: 0 });
    const gateway = await cluster.gateway();
    await lastOfDn?.stop({ graceMs: 1_000 });
    await cluster.of('DN').store.acceptOrders([]);
    const waiting = newOrder({ content: { region: 'DN' } });
    await cluster.of('DN').store.acceptOrders([waiting]);
    await gateway.until('DN', 'no_nodes');
    const { body } = await gateway.submit({ region: 'DN' });
    expect(body).toMatchObject({
      region: 'DN',
      routed_because: { code: 'fallback', message: expect.stringMatching(/^DN has no live node; (HCM|HN) is healthy$/) },
    });
    expect(['HCM', 'HN']).toContain(body['warehouse']);
    const listed = (await gateway.ask('GET', '/orders?warehouse=DN')).body['orders'] as { waiting_because?: { code: string } }[];
    expect(listed.map(({ waiting_because }) => waiting_because?.code)).toEqual(['no_node']);
    await cluster.node('DN');
    await waitUntil(
      'the order to complete',
      async () => (await cluster.of('DN').store.listOrders({ statuses: ['completed'], limit: 1 })).length === 1,
    );
    await gateway.until('DN', 'OK');
    expect((await gateway.submit({ region: 'DN' })).body).toMatchObject({ warehouse: 'DN', routed_because: { code: 'home' } });
  });

  it('where nothing is healthy, an order is stored by whoever answers', async () => {
    const gateway = await cluster.gateway();
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN', routed_because: { code: 'home' } });
    expect((await gateway.submit({})).body).toMatchObject({ routed_because: { code: 'last_resort' } });
    for (const name of ['HCM', 'HN']) cluster.of(name).way.cut();
    for (const name of ['HCM', 'HN']) await gateway.until(name, 'unavailable');
    const { body } = await gateway.submit({ region: 'HN' });
    expect(body).toMatchObject({ warehouse: 'DN', routed_because: { code: 'last_resort', message: expect.stringContaining('DN') } });
    cluster.of('DN').way.cut();
    await gateway.until('DN', 'unavailable');
    const refused = await gateway.submit({ region: 'HN' });
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'warehouse-unavailable', detail: expect.stringMatching(/HCM: .*HN: .*DN: /) },
    });
    const health = await gateway.ask('GET', '/readyz');
    expect({ status: health.status, body: health.body }).toMatchObject({ status: 503, body: { status: 'unavailable' } });
  });

  it('a backlog of ten times the others: new orders without region go to the others, and regional ones leave it; the load evens out', async () => {
    await cluster.nodes({ slots: 10, stepMs: 60_000 });
    const backlog = async (name: string, count: number) =>
      cluster.of(name).store.acceptOrders(Array.from({ length: count }, () => newOrder({ content: { region: name } })));
    await Promise.all([backlog('HCM', 400), backlog('HN', 40), backlog('DN', 40)]);
    const gateway = await cluster.gateway();
    const counted = async (): Promise<boolean> => {
      const { body } = await gateway.ask('GET', '/warehouses');
      return (body['warehouses'] as { load?: number }[]).every(({ load }) => (load ?? 0) >= 4);
    };
    await waitUntil('the backlog to be counted', counted);
    const placed: Awaited<ReturnType<typeof gateway.submit>>[] = [];
    // One crowd after the other: what one of them brought is counted when the next is placed.
    for (let round = 0; round < 15; round += 1)
      placed.push(...(await Promise.all(Array.from({ length: 20 }, (_, n) => gateway.submit({}, n % 2 ? randomUUID() : undefined)))));
    const counts = Map.groupBy(placed, ({ body }) => body['warehouse'] as string);
    expect(counts.get('HCM')).toBeUndefined();
    expect(Math.abs((counts.get('HN')?.length ?? 0) - (counts.get('DN')?.length ?? 0))).toBeLessThan(60);
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN' });
    const strict = await cluster.gateway({ routing: { rebalanceAt: 0 } });
    const lenient = await cluster.gateway({ routing: { rebalanceAt: 1.2 } });
    await waitUntil('the backlog to be known there', async () => {
      const { body } = await lenient.ask('GET', '/warehouses');
      return (body['warehouses'] as { load?: number }[]).every(({ load }) => (load ?? 0) >= 15);
    });
    expect((await strict.submit({ region: 'HCM' })).body).toMatchObject({ warehouse: 'HCM' });
    const left = await lenient.submit({ region: 'HCM' });
    expect(left.body).toMatchObject({
      routed_because: { code: 'rebalanced', message: expect.stringMatching(/^HCM has \d+\.\d times the backlog of (HN|DN)$/) },
    });
  });

  it('a page after the other returns each of 10,000 orders once, in order, while new ones arrive', async () => {
    const gateway = await cluster.gateway();
    const ids: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        cluster.warehouses.map(async ({ store }) => {
          const orders = Array.from({ length: 167 }, () => newOrder({}, store.warehouse.number));
          await store.acceptOrders(orders);
          ids.push(...orders.map(({ orderId }) => orderId));
        }),
      );
    }
    expect(ids.length).toBeGreaterThan(10_000);
    const seen: string[] = [];
    let arrived = 0;
    let cursor: string | undefined;
    do {
      const { status, body } = await gateway.ask('GET', `/orders?limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      seen.push(...(body['orders'] as { order_id: string }[]).map(({ order_id }) => order_id));
      cursor = body['next_cursor'] as string | undefined;
      for (let each = 0; each < 5; each += 1) arrived += (await gateway.submit({ region: 'HN' })).status === 202 ? 1 : 0;
    } while (cursor !== undefined);
    expect(arrived).toBeGreaterThan(200);
    expect(seen).toEqual(ids.sort().reverse());
  });

  it('a fourth warehouse is one more store and one more node: the others are not touched', async () => {
    const nodes = await cluster.nodes();
    const before = nodes.map(({ session }) => session);
    const old = await cluster.gateway();
    const schema = async () =>
      Promise.all(
        cluster.warehouses.map(({ client }) => client.query('select * from migration_checksums order by 1').then(({ rows }) => rows)),
      );
    const schemaBefore = await schema();
    const fourth = await TestCluster.open('CT');
    try {
      await fourth.node('CT');
      const gateway = await cluster.gateway({}, [...cluster.warehouses, ...fourth.warehouses]);
      const { body } = await gateway.submit({ region: 'CT' });
      expect(body).toMatchObject({ region: 'CT', warehouse: 'CT', routed_because: { code: 'home' } });
      await waitUntil(
        'its order to complete',
        async () => (await gateway.ask('GET', `/orders/${body.order_id}`)).body['status'] === 'completed',
      );
      expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN' });
      expect((await old.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN' });
      expect(nodes.map(({ session }) => session)).toEqual(before);
      expect(await schema()).toEqual(schemaBefore);
      expect((await gateway.ask('GET', '/health')).body).toMatchObject({
        status: 'OK',
        warehouses: [{}, {}, {}, { name: 'CT', status: 'OK' }],
      });
    } finally {
      await fourth.close();
    }
  });

  it("a client's own id is found wherever its order is; unknown only when every warehouse says so", async () => {
    await cluster.nodes();
    const gateway = await cluster.gateway();
    const ids = new Map<string, string>();
    for (const region of ['HCM', 'HN', 'DN']) {
      const own = `own-${randomUUID()}`;
      const { status, body } = await gateway.ask('POST', '/order', { token: 'user', body: { order_id: own, region } });
      expect({ status, body }).toMatchObject({ status: 202, body: { order_id: own, client_order_id: own, warehouse: region } });
      ids.set(own, region);
    }
    for (const [own, region] of ids)
      expect((await gateway.ask('GET', `/order/${own}`, { token: 'user' })).body).toMatchObject({
        order_id: own,
        warehouse: region,
        steps: expect.any(Array),
      });
    expect((await fetch(`${gateway.url}/order/${[...ids.keys()][1]}`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/order/${[...ids.keys()][1]}`, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    const { body } = await gateway.submit({ region: 'HN' });
    expect((await gateway.ask('GET', `/order/${body.order_id}`, { token: 'user' })).body).toMatchObject({ order_id: body.order_id });
    for (const unknown of ['nobody', randomUUID()])
      expect((await gateway.ask('GET', `/order/${unknown}`, { token: 'user' })).status).toBe(404);
    cluster.of('DN').way.cut();
    await gateway.until('DN', 'unavailable');
    expect(await gateway.ask('GET', '/order/nobody', { token: 'user' })).toMatchObject({
      status: 503,
      body: { detail: expect.stringContaining('DN did not answer') },
    });
  });

  it('a warehouse may have a workflow of its own', async () => {
    const { WorkflowRegistry } = await import('#engine/registry.ts');
    const { defineWorkflow, step } = await import('#engine/workflow.ts');
    const { orderWorkflow } = await import('#workflows/order.ts');
    const { systemClock } = await import('#engine/clock.ts');
    const express = defineWorkflow({ name: 'express', version: 1, steps: [step('Ship', { run: () => undefined })] });
    const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock }), express]);
    for (const { store } of cluster.warehouses) await store.registerWorkflows([ORDER_WORKFLOW, { ...express, stepNames: ['Ship'] }]);
    const gateway = await cluster.gateway({ registry, workflowsByWarehouse: new Map([['HN', 'express']]) });
    const workflowOf = async (region: string) => {
      const { body } = await gateway.submit({ region });
      const read = (await gateway.ask('GET', `/orders/${body.order_id}`)).body;
      return `${body['current_step']} of ${read['workflow']}`;
    };
    expect(await workflowOf('HN')).toBe('Ship of express');
    expect(await workflowOf('DN')).toBe('Scheduling of order');
  });
});
