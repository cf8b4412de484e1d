import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeConsole, expectAccessible } from './browser.ts';

const START = ['--embedded', 'HCM', '--step-duration', '100ms', '--failure-rate', '0', '--webhook-targets', 'all'];

describeConsole('webhooks in the console', START, (ui) => {
  let receiver: Server;
  let address: string;
  /** What the receiver answers. */
  let status = 500;
  beforeAll(async () => {
    receiver = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
  });
  afterAll(() => {
    receiver?.closeAllConnections();
    receiver?.close();
  });

  it('are made with the keyboard, and show their secret once', async () => {
    const { page, faults } = await ui.open('user', '/ui/webhooks');
    await page.getByText('No webhooks yet').waitFor();
    await page.getByRole('button', { name: 'New webhook' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Address').fill('nonsense');
    await page.keyboard.press('Enter');
    await page.getByText('This is no address').waitFor();
    await expectAccessible(page, 'the form of a webhook');
    await page.getByLabel('Address').fill(address);
    await page.keyboard.press('Enter');
    await page.getByText(/^whsec_/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'I have kept it' }).press('Enter');
    await page.getByText(/^whsec_/).waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: `Deliveries to ${address}` }).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === 'New webhook');
    await page.reload();
    await page.getByRole('heading', { name: `Deliveries to ${address}` }).waitFor();
    expect(await page.getByText('whsec_').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('show what became of each delivery, and send it again', async () => {
    const { page, faults } = await ui.open('operator', '/ui/webhooks', { dark: true, phone: true });
    await ui.cluster.place();
    await page.getByText('Tried, waiting').waitFor();
    await page.getByText('it answered 500').waitFor();
    await expectAccessible(page, 'deliveries, dark, on a phone');
    status = 204;
    await page.getByRole('button', { name: /^Try now/ }).click();
    await page.getByRole('cell', { name: 'Delivered' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
    expect(faults).toEqual([]);
  });

  it('say why nothing is sent, and go after a question', async () => {
    const { page, faults } = await ui.open('user', '/ui/webhooks');
    await page.getByRole('button', { name: /^Disable/ }).click();
    await page.getByText('Disabled by its owner. What happens meanwhile waits and is sent when it is enabled again.').waitFor();
    await ui.cluster.place();
    await page.getByRole('cell', { name: 'when enabled' }).waitFor();
    await page.getByRole('button', { name: /^Enable/ }).click();
    await page.getByRole('cell', { name: 'when enabled' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Delete/ }).click();
    await expectAccessible(page, 'the question before a webhook is deleted');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No webhooks yet').waitFor();
    expect(faults).toEqual([]);
  });
});
