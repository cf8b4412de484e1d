import { expect, it } from 'vitest';
import { describeConsole, expectAccessible } from './browser.ts';

const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202Eright to left 😀';

describeConsole('placing orders in the console', ['--embedded', 'HCM', '--step-duration', '200ms', '--failure-rate', '0'], (ui) => {
  it('says at each field what is wrong before anything is sent, by the keyboard alone', async () => {
    const { page, faults } = await ui.open('operator', '/ui/place');
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.url());
    });
    await page.getByLabel('Symbol').fill('s'.repeat(33));
    await page.getByLabel('Quantity').fill('0');
    await page.getByText('More: items').focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Metadata').fill('{"a": 1,');
    await page.getByRole('button', { name: 'Add an item' }).click();
    await page.keyboard.press('Control+Enter');
    await page.getByText('4 fields need another value.').waitFor();
    for (const text of ['Has 33 characters; at most 32 are allowed', 'Must be a whole number from 1 to 1,000,000', 'Is needed'])
      await page.getByText(text).first().waitFor();
    expect(await page.getByLabel('Symbol').evaluate((input) => input === document.activeElement)).toBe(true);
    await expectAccessible(page, 'a form with faults');
    expect(sent).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('makes one order of one form, also when the answer is lost and it is sent again', async () => {
    const { page, faults } = await ui.open('operator', '/ui/place');
    const keys: (string | undefined)[] = [];
    await page.route('**/orders', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      const answer = await route.fetch();
      if (keys.length === 1) return route.abort();
      expect(answer.status()).toBe(200);
      return route.fulfill({ response: answer });
    });
    await page.getByRole('button', { name: 'Fill in an example' }).click();
    await page.getByLabel('Customer name').fill(HOSTILE);
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').getByText('The gateway did not answer.').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.waitForURL('**/ui/orders/*');
    expect(keys[0]).toMatch(/^[\x21-\x7e]{8,}$/);
    expect(keys[1]).toBe(keys[0]);
    await page.unroute('**/orders');
    const first = page.url();
    await page.goBack();
    await page.getByText('send it for another like it').waitFor();
    expect(await page.getByLabel('Customer name').inputValue()).toBe(HOSTILE);
    await page.getByRole('button', { name: 'Place the order' }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/ui/orders/') && url.href !== first);
    expect(faults).toEqual([]);
  });

  it('shows at its field what only the gateway knows', async () => {
    const { page } = await ui.open('user', '/ui/place');
    const problem = { status: 400, code: 'invalid-request', title: 'x', detail: '/symbol is not traded', advice: '' };
    await page.route('**/orders', (route) =>
      route.fulfill({ status: 400, json: { ...problem, errors: [{ field: '/symbol', reason: 'is not traded' }] } }),
    );
    await page.getByLabel('Symbol').fill('X');
    await page.getByRole('button', { name: 'Place the order' }).click();
    await page.getByText('Is not traded').waitFor();
    expect(await page.getByLabel('Symbol').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Symbol').fill('Y');
    await page.getByText('Is not traded').waitFor({ state: 'detached' });
  });

  it('starts and stops the generator, and counts what it placed', async () => {
    const { page, faults } = await ui.open('operator', '/ui/generator', { dark: true });
    await page.getByLabel('An order every').fill('1ms');
    await page.getByText('A duration from 100ms to 1d').waitFor();
    await page.getByLabel('An order every').fill('150ms');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Running, every 150ms').waitFor();
    await page.getByText('Last order').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Stopped by').waitFor();
    await expectAccessible(page, 'the generator, dark');
    expect(faults).toEqual([]);
  });

  it('runs many orders, follows each to its end, and asks before it is left', async () => {
    const { page, faults } = await ui.open('operator', '/ui/generator?orders=40&concurrency=8');
    // However slow this machine is, the run does not end before it is asked about.
    const isAsked = Promise.withResolvers<void>();
    await page.route('**/orders', (route) => isAsked.promise.then(() => route.continue()), { times: 1 });
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByRole('link', { name: 'Audit' }).click();
    const dialog = page.getByRole('dialog', { name: 'A stress run is under way' });
    await expectAccessible(page, 'the question before a run is left');
    await dialog.getByRole('button', { name: 'Stay' }).click();
    isAsked.resolve();
    await page.getByText('Done: all 40 ended, none was lost.').waitFor();
    expect(await page.getByRole('row', { name: /^To the answer/ }).textContent()).toMatch(/\d+ ms/);
    expect(await page.getByRole('row', { name: /^To the end/ }).textContent()).toMatch(/\d m?s/);
    await expectAccessible(page, 'a run that is done');
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Generator' }).click();
    await page.getByText('Done: all 40 ended, none was lost.').waitFor();
    expect(faults).toEqual([]);
  });

  it('the audit says who did it and why, finds it by its words, and holds still under the pointer', async () => {
    const cancel = async (reason: string): Promise<void> => {
      await ui.cluster.call('POST', `/orders/${await ui.cluster.place()}/cancel`, { body: { reason } });
    };
    await cancel(HOSTILE);
    const { page, faults } = await ui.open('operator', '/ui/audit');
    await page.getByRole('cell', { name: HOSTILE }).hover();
    const newest = await page.getByRole('row').nth(1).textContent();
    await cancel('while somebody reads');
    await page.getByRole('button', { name: '1 newer' }).waitFor();
    expect(await page.getByRole('row').nth(1).textContent()).toBe(newest);
    await page.mouse.move(5, 5);
    await page.getByRole('cell', { name: 'while somebody reads' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('cancelled somebody');
    await page.getByText(/^1 of \d+ loaded$/).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    await expectAccessible(page, 'the audit');
    await page.getByRole('row').nth(1).getByRole('link').click();
    await page.waitForURL('**/ui/orders/*');
    expect(faults).toEqual([]);
  });
});
