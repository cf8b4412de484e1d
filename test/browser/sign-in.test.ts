import { expect, it } from 'vitest';
import { describeConsole } from './browser.ts';

describeConsole('signing in to the console', ['--embedded', 'HCM', '--step-duration', '200ms', '--failure-rate', '0'], (ui) => {
  it('says what is wrong with a token, takes a good one, keeps it over a reload, and forgets it', async () => {
    const surfer = await ui.newPage();
    const { page, faults } = surfer;
    await ui.goTo(surfer, '/');
    await page.getByLabel('Access token').fill('nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('the token is unknown or was revoked').waitFor();
    await ui.signIn(surfer, 'operator');
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
    const { page, faults } = await ui.open('operator', '/ui/orders?q=status:failed');
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
    const surfer = await ui.newPage();
    const { page } = surfer;
    await ui.goTo(surfer, '/');
    await page.getByRole('button', { name: 'Continue as customer' }).click();
    await page.getByRole('button', { name: 'Menu of user' }).waitFor();
    await page.getByRole('link', { name: 'Orders' }).waitFor();
    expect(await page.getByRole('link', { name: 'Cluster' }).count()).toBe(0);
  });
});
