import { beforeAll, expect, it } from 'vitest';
import { waitUntil } from '#test/waiting.ts';
import { type ConsolePage, describeConsole, expectAccessible, goBy } from './browser.ts';

interface Seen {
  status: string;
}

/** What an attacker, or the world's many scripts, may write into a field. */
const HOSTILE = [
  '<script>window.hacked=1</script>',
  '"><img src=x onerror="window.hacked=1">',
  "javascript:window.hacked=1//'",
  '\u202Etxt.exe\u202C \u200F\u061C مرحبا',
  '👩‍👩‍👧‍👦🏳️‍🌈 Zalgo t̸̢̛e̵x̷t̶',
  '{{constructor.constructor("window.hacked=1")()}}',
];

describeConsole('every page of the console', ['--embedded', 'HCM,HN', '--step-duration', '50ms', '--failure-rate', '0.3'], (ui) => {
  let orderId: string;
  beforeAll(async () => {
    const { cluster } = ui;
    // A name that leads nowhere: what is to be seen is the page.
    const webhook = { url: 'https://hooks.invalid/<script>', events: ['order.completed'] };
    await cluster.call('POST', '/webhooks', { token: 'user', body: webhook });
    await Promise.all(HOSTILE.map((text, n) => cluster.place(hostileOrder(text, n))));
    orderId = await cluster.place({
      ...hostileOrder([...HOSTILE.join(' ')].slice(0, 150).join(''), 99),
      detail: HOSTILE.join('\n').repeat(100),
    });
    await waitUntil('the orders have ended', async () =>
      ['completed', 'failed'].includes((await cluster.call<Seen>('GET', `/orders/${orderId}`)).status),
    );
  });

  const pages = (): [string, string][] => [
    ['the overview', '/'],
    ['orders', '/ui/orders'],
    ['orders that match', '/ui/orders?q=status:completed since:1h'],
    ['an order', `/ui/orders/${orderId}`],
    ['the cluster', '/ui/cluster'],
    ['placing an order', '/ui/place'],
    ['the generator', '/ui/generator'],
    ['webhooks', '/ui/webhooks'],
    ['the audit', '/ui/audit'],
  ];

  /** Goes through all pages, each until it has its content. */
  async function visit(surfer: ConsolePage, look: (what: string) => Promise<void>): Promise<void> {
    const { page } = surfer;
    for (const [what, path] of pages()) {
      await ui.goTo(surfer, path);
      await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
      await waitUntil(
        `${what} has loaded`,
        async () =>
          (await page
            .getByRole('main')
            .getByText(/^Loading /)
            .count()) === 0,
      );
      await look(what);
    }
  }

  it.each([
    ['in the light', { dark: false }],
    ['in the dark', { dark: true }],
    ['on a phone', { phone: true }],
  ])('is accessible %s, within its width, and shows what anyone wrote as text', async (where, surfing) => {
    const surfer = await ui.newPage(surfing);
    await ui.goTo(surfer, '/');
    await surfer.page.getByLabel('Access token').waitFor();
    await expectAccessible(surfer.page, `the sign-in ${where}`);
    await ui.signIn(surfer, 'operator');
    await visit(surfer, async (what) => {
      await expectAccessible(surfer.page, `${what} ${where}`);
      const width = await surfer.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(width, `${what} is wider than its window by`).toBeLessThanOrEqual(0);
      expect(await surfer.page.evaluate(() => 'hacked' in window), `${what} ran what was written into a field`).toBe(false);
    });
    expect(surfer.faults).toEqual([]);
  });

  it('shows hostile text exactly as it was written', async () => {
    const { page, faults } = await ui.open('operator', '/ui/orders');
    for (const text of HOSTILE) await page.getByText(text, { exact: true }).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('is within reach of the keyboard: navigation, the list, an order and back', async () => {
    const { page, faults } = await ui.open('operator', '/');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await goBy(page, 'g o', 'Orders');
    await page.locator('main a[href^="/ui/orders/"]').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/ui\/orders\/[0-9a-f-]{36}/);
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Cancel this order').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await goBy(page, 'g c', 'Cluster');
    expect(faults).toEqual([]);
  });

  it('shows a customer its own orders and nothing of an operator’s, and the API agrees', async () => {
    const foreign = await ui.cluster.place({ symbol: 'OTHERS' }, 'operator');
    const surfer = await ui.open('user', '/ui/orders');
    const { page } = surfer;
    await page.locator(`a[href="/ui/orders/${orderId}"]`).waitFor();
    expect(await page.getByText('OTHERS').count()).toBe(0);
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents();
    expect(links.filter((link) => /Overview|Cluster|Generator|Audit/.test(link))).toEqual([]);
    expect(await page.getByRole('button', { name: /All that match/ }).count()).toBe(0);
    await ui.goTo(surfer, `/ui/orders/${foreign}`);
    await page
      .getByText(/no order|not found|unknown/i)
      .first()
      .waitFor();
    const answers = await page.evaluate(async (id) => {
      const ask = async (path: string, method = 'GET'): Promise<number> =>
        (await fetch(path, { method, ...(method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}) }))
          .status;
      return {
        order: await ask(`/orders/${id}`),
        cancel: await ask(`/orders/${id}/cancel`, 'POST'),
        audit: await ask('/audit'),
        statistics: await ask('/statistics?range=5m'),
        events: await ask('/events'),
        bulk: await ask('/orders/bulk', 'POST'),
        generator: await ask('/generator/stop', 'POST'),
      };
    }, foreign);
    expect(answers).toEqual({
      order: 404,
      cancel: 404,
      audit: 403,
      statistics: 403,
      events: 403,
      bulk: expect.toBeOneOf([400, 403]),
      generator: 403,
    });
  });
});

function hostileOrder(text: string, n: number): object {
  return {
    customer_name: text,
    symbol: [...text].slice(0, 12).join(''),
    detail: text,
    tracking_id: `${n} ${text}`,
    items: [{ sku: text, quantity: 1, unit_price: '1.50' }],
    metadata: { [text]: text },
  };
}
