import { mkdir } from 'node:fs/promises';
import type { Locator } from 'playwright-core';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '#test/waiting.ts';
import { type ConsolePage, describeConsole, goBy } from './browser.ts';

interface Seen {
  status: string;
  node_id?: string;
  steps: { node_id?: string }[];
}

/** Where a person may look at what was seen; only when asked for. */
const SHOTS = process.env['CONVEYOR_SCREENSHOTS'];
const START = ['--embedded', 'HCM', '--slots', '4', '--step-duration', '1s', '--failure-rate', '0'];

describeConsole('an operator’s day', START, (ui) => {
  let surfer: ConsolePage;
  beforeAll(async () => {
    surfer = await ui.open('operator', '/');
  });
  afterEach(() => expect(surfer.faults.splice(0)).toEqual([]));

  const open = (path: string): Promise<void> => ui.goTo(surfer, path);
  const seen = (id: string): Promise<Seen> => ui.cluster.call<Seen>('GET', `/orders/${id}`);
  /** The word for how the order that is shown stands. */
  const stands = (word: string): Locator => surfer.page.getByRole('region', { name: 'How it stands' }).getByText(word, { exact: true });
  const shoot = async (name: string): Promise<void> => {
    if (SHOTS === undefined) return;
    await mkdir(SHOTS, { recursive: true });
    await surfer.page.screenshot({ path: `${SHOTS}/${name}.png` });
  };

  it('places an order and watches its timeline grow to the end', async () => {
    const { page } = surfer;
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await goBy(page, 'g n', 'Place an order');
    await page.getByLabel('Customer name').fill('Ada');
    await page.getByLabel('Symbol').fill('ADA');
    await page.getByRole('button', { name: 'Place the order' }).click();
    await page.waitForURL(/\/ui\/orders\/[0-9a-f-]{36}$/);
    const bars = page.locator('[data-bar]');
    const counts: number[] = [];
    await waitUntil('the timeline has grown to the end', async () => {
      counts.push(await bars.count());
      return stands('Completed').isVisible();
    });
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(2);
    await shoot('order');
  });

  it('finds it by the beginning of its id', async () => {
    const { page } = surfer;
    const id = new URL(page.url()).pathname.split('/').at(-1) as string;
    await page.keyboard.press('/');
    const box = page.getByRole('combobox', { name: 'Search orders' });
    await box.fill(id.slice(0, 13));
    await box.press('Enter');
    await page.locator(`a[href="/ui/orders/${id}"]`).waitFor();
    expect(await page.locator('main a[href^="/ui/orders/0"]').count()).toBe(1);
    await page.getByText('Ada', { exact: true }).waitFor();
  });

  it('cancels another', async () => {
    const { page } = surfer;
    const id = await ui.cluster.place({ symbol: 'TSLA' });
    await open(`/ui/orders/${id}`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this order?' });
    await dialog.getByLabel('Reason').fill('changed my mind');
    await dialog.getByRole('button', { name: 'Cancel the order' }).click();
    await stands('Cancelled').waitFor();
    expect((await seen(id)).status).toBe('cancelled');
    await open('/ui/audit');
    await page.getByText('changed my mind').waitFor();
  });

  it('says below the search box what only the gateway knows to be wrong', async () => {
    const { page } = surfer;
    await open('/ui/orders?q=warehouse:XX');
    await page.getByText('must be one of HCM.').waitFor();
    await page.getByText('This search is not understood').waitFor();
    const box = page.getByRole('combobox', { name: 'Search orders' });
    await box.fill('warehouse:HCM');
    await box.press('Enter');
    await page.locator('main a[href^="/ui/orders/0"]').first().waitFor();
    expect(await page.getByText('must be one of HCM.').count()).toBe(0);
  });

  it('says what needs a person without moving what one reads', async () => {
    const { page } = surfer;
    await open('/ui/webhooks');
    const heading = page.getByRole('heading', { name: 'Webhooks', level: 1 });
    await heading.waitFor();
    const before = await heading.boundingBox();
    await page.route('**/warehouses', async (route) => {
      const response = await route.fetch();
      const { warehouses } = (await response.json()) as { warehouses: object[] };
      await route.fulfill({ response, json: { warehouses: warehouses.map((one) => ({ ...one, status: 'no_nodes' })) } });
    });
    await page.getByRole('banner').getByRole('link', { name: 'Warehouse HCM: No nodes' }).waitFor();
    expect(await heading.boundingBox()).toEqual(before);
    await page.unroute('**/warehouses');
  });

  it('kills a node and sees its tile go and its orders go on elsewhere', async () => {
    const { page } = surfer;
    const node = await ui.cluster.join('--slots', '10', '--node-name', 'doomed');
    await open('/ui/cluster');
    const tile = page.getByRole('article', { name: 'Node doomed' });
    await tile.waitFor();
    // Placed when all else is there: the node has to die before the first of them ends.
    const orders = await Promise.all(Array.from({ length: 12 }, () => ui.cluster.place()));
    await waitUntil('the node has orders', async () => Number(await tile.locator('svg[data-busy]').getAttribute('data-busy')) > 0);
    await shoot('cluster');
    const nodeId = (await tile.getAttribute('data-node')) as string;
    const had = (await Promise.all(orders.map(seen))).filter(({ node_id }) => node_id === nodeId);
    expect(had.length).toBeGreaterThan(0);
    node.process.kill('SIGKILL');
    await page.locator(`[data-gone="${nodeId}"]`).waitFor();
    await tile.waitFor({ state: 'detached' });
    await waitUntil('all orders have ended', async () =>
      (await Promise.all(orders.map(seen))).every(({ status }) => status === 'completed'),
    );
    const carriers = (await Promise.all(orders.map(seen))).map(({ steps }) => steps.findLast(({ node_id }) => node_id)?.node_id);
    expect(carriers).not.toContain(nodeId);
  });

  it('drains a node', async () => {
    const { page } = surfer;
    await ui.cluster.join('--slots', '3', '--node-name', 'tired');
    await open('/ui/cluster');
    const tile = page.getByRole('article', { name: 'Node tired' });
    await tile.getByRole('button', { name: 'What to do with tired' }).click();
    await page.getByRole('menuitem', { name: 'Drain …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('new kernel');
    await dialog.getByRole('button', { name: /Drain/ }).click();
    await tile.getByText('Draining').waitFor();
    const { nodes } = await ui.cluster.call<{ nodes: { name: string; state: string }[] }>('GET', '/diagnostic/cluster');
    expect(nodes.find(({ name }) => name === 'tired')).toMatchObject({ state: 'draining' });
  });

  it('shows a lost connection, and goes on by itself', async () => {
    const { page } = surfer;
    await open('/ui/orders');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await page.getByText('Connection lost').waitFor();
    const id = await ui.cluster.place({ symbol: 'BACK' });
    await page.context().setOffline(false);
    await page.getByText('Live', { exact: true }).waitFor();
    await page
      .locator(`a[href="/ui/orders/${id}"]`)
      .or(page.getByText(/new order/))
      .first()
      .waitFor();
    // What the browser itself says of the outage is none of the page's faults.
    surfer.faults.length = 0;
  });
});

describeConsole('orders that failed', ['--embedded', 'HCM', '--step-duration', '20ms', '--failure-rate', '1'], (ui) => {
  it('are all retried, after a look at how many', async () => {
    const { cluster } = ui;
    const ids = await Promise.all(Array.from({ length: 25 }, (_, n) => cluster.place({ symbol: 'FAIL', quantity: n + 1 })));
    await waitUntil('all have failed', async () =>
      (await Promise.all(ids.map((id) => cluster.call<Seen>('GET', `/orders/${id}`)))).every(({ status }) => status === 'failed'),
    );
    const { page, faults } = await ui.open('operator', '/ui/orders?q=status:failed+symbol:FAIL');
    await page.getByRole('button', { name: 'All that match …' }).click();
    await page.getByRole('button', { name: /^Retry all/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Retry all orders that match' });
    await dialog.getByText('25 orders', { exact: true }).waitFor();
    await dialog.getByLabel('Pace').fill('500');
    await dialog.getByLabel('Reason').fill('the supplier is back');
    await dialog.getByRole('button', { name: 'Retry 25 orders' }).click();
    await page
      .getByRole('region', { name: /^Retry/ })
      .getByText('25 of 25 · 25 placed again')
      .waitFor();
    const { orders } = await cluster.call<{ orders: { retry_of?: string }[] }>('GET', '/orders?symbol=FAIL&limit=200');
    expect(new Set(orders.flatMap(({ retry_of }) => retry_of ?? []))).toEqual(new Set(ids));
    expect(faults).toEqual([]);
  });

  it('are retried once each, and go on saying as what', async () => {
    const { cluster } = ui;
    const id = await cluster.place({ symbol: 'ONCE' });
    await waitUntil('it has failed', async () => (await cluster.call<Seen>('GET', `/orders/${id}`)).status === 'failed');
    const { page, faults } = await ui.open('operator', `/ui/orders/${id}`);
    const standing = page.getByRole('region', { name: 'How it stands' });
    await standing.getByText(/^Scheduling failed, as one in/).waitFor();
    const retry = page.getByRole('button', { name: 'Retry', exact: true });
    await retry.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry', exact: true }).click();
    const notice = page.getByText('Its content was placed again');
    await notice.waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await retry.getAttribute('aria-disabled')).toBe('true');
    await notice.getByRole('link').click();
    await standing.getByText('Retry of').waitFor();
    await page.goBack();
    await notice.waitFor();
    expect(await retry.getAttribute('aria-disabled')).toBe('true');
    expect(faults).toEqual([]);
  });
});
