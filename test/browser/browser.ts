import { existsSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const INDEX = new URL('../../console/dist/index.html', import.meta.url);

/** What the browser's tests lack on this machine; `undefined`: nothing. */
export const missingForBrowser: string | undefined = !existsSync(CHROMIUM)
  ? 'the Debian package chromium is not installed'
  : existsSync(INDEX)
    ? undefined
    : 'the console is not built: npm run console';
if (missingForBrowser) console.warn(`left out: the console in a browser; ${missingForBrowser}`);

const TIMEOUT_MS = 20_000;

export interface Surfing {
  dark?: boolean;
  phone?: boolean;
}

/** A page of the console, and all that went wrong in it. */
export interface ConsolePage {
  page: Page;
  /** Errors of scripts, violations of the page's policy, messages of the browser's console; a test expects none. */
  faults: string[];
}

/** Chromium with pages that note every fault. */
export class TestBrowser {
  private readonly browser: Browser;

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  static async open(): Promise<TestBrowser> {
    // As root Chromium refuses its sandbox.
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] }));
  }

  async newPage({ dark = false, phone = false }: Surfing = {}): Promise<ConsolePage> {
    const context = await this.browser.newContext({
      viewport: phone ? { width: 375, height: 740 } : { width: 1360, height: 850 },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      acceptDownloads: true,
    });
    context.setDefaultTimeout(TIMEOUT_MS);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (isFault(message.type(), message.text())) faults.push(`${message.type()}: ${message.text()}`);
    });
    // A blocked script does not reach the console of every version; the event always tells.
    await context.exposeFunction('noteViolation', (what: string) => faults.push(`policy: ${what}`));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        (window as unknown as { noteViolation(what: string): void }).noteViolation(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return { page, faults };
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** An answer that is an error is told by the page; the browser's own line about it is none of the page's faults. */
function isFault(type: string, text: string): boolean {
  return (type === 'error' || type === 'warning') && !text.startsWith('Failed to load resource');
}

export async function signIn({ page }: ConsolePage, url: string, token: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('navigation', { name: 'Pages' })
    .or(page.getByRole('button', { name: 'Open the menu' }))
    .first()
    .waitFor();
}

/** Fails with what axe found, each with its place. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  expect(found, `axe on ${what}`).toEqual([]);
}
