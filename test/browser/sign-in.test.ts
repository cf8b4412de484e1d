import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleCluster } from '#test/console-cluster.ts';
import { missingForBrowser, signIn, TestBrowser } from './browser.ts';

describe.skipIf(missingForBrowser !== undefined)('signing in to the console', () => {
  let cluster: ConsoleCluster;
  let browser: TestBrowser;
  beforeAll(async () => {
    cluster = await ConsoleCluster.start('--embedded', 'HCM', '--step-duration', '200ms', '--failure-rate', '0');
    browser = await TestBrowser.open();
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  it('says what is wrong with a token, takes a good one, keeps it over a reload, and forgets it', async () => {
    const surfer = await browser.newPage();
    const { page, faults } = surfer;
    await page.goto(cluster.url);
    await page.getByLabel('Access token').fill('nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('the token is unknown or was revoked').waitFor();
    await signIn(surfer, cluster.url, 'operator');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.evaluate(() => document.cookie)).toBe('');
    await page.getByRole('button', { name: 'Menu of operator' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
    await page.reload();
    await page.getByLabel('Access token').waitFor();
    expect(faults).toEqual([]);
  });

  it('says that the session has ended where another tab signed out, and goes on where one was', async () => {
    const surfer = await browser.newPage();
    const { page, faults } = surfer;
    await signIn(surfer, cluster.url, 'operator');
    await page.goto(`${cluster.url}/ui/orders?q=status:failed`);
    await page.getByText('No order matches').waitFor();
    await page.context().clearCookies();
    await page.getByText('The session has ended').waitFor();
    await page.getByLabel('Access token').fill('nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('the token is unknown or was revoked').waitFor();
    await page.getByLabel('Access token').fill('operator');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No order matches').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('status:failed');
    expect(faults).toEqual([]);
  });

  it('offers the tokens of a development start', async () => {
    const { page } = await browser.newPage();
    await page.goto(cluster.url);
    await page.getByRole('button', { name: 'Continue as customer' }).click();
    await page.getByRole('button', { name: 'Menu of user' }).waitFor();
    await page.getByRole('link', { name: 'Orders' }).waitFor();
    expect(await page.getByRole('link', { name: 'Cluster' }).count()).toBe(0);
  });
});
