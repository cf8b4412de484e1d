import { existsSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { DESK, hasChromium, openChromium } from '#test/chromium.ts';
import { ConsoleCluster } from '#test/console-cluster.ts';
import { waitUntil } from '#test/waiting.ts';

const INDEX = new URL('../../console/dist/index.html', import.meta.url);
const PHONE = { width: 375, height: 740 };
const TIMEOUT_MS = 20_000;

const missing = !hasChromium()
  ? 'the Debian package chromium is not installed'
  : existsSync(INDEX)
    ? undefined
    : 'the console is not built: npm run console';
if (missing) console.warn(`left out: the console in a browser; ${missing}`);

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

/** Tests of the console of a cluster that is started with these arguments; left out where there is no browser. */
export function describeConsole(what: string, args: readonly string[], tests: (ui: ConsoleInBrowser) => void): void {
  describe.skipIf(missing !== undefined)(what, () => {
    const ui = new ConsoleInBrowser();
    beforeAll(() => ui.start(args));
    afterAll(() => ui.stop());
    tests(ui);
  });
}

/** A cluster of its own, and Chromium with pages that note every fault. */
export class ConsoleInBrowser {
  private started: ConsoleCluster | undefined;
  private browser: Browser | undefined;

  async start(args: readonly string[]): Promise<void> {
    this.started = await ConsoleCluster.start(...args);
    this.browser = await openChromium();
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    await this.started?.stop();
  }

  get cluster(): ConsoleCluster {
    return this.started as ConsoleCluster;
  }

  /** A page where somebody is signed in, and has gone to this path. */
  async open(token: string, path: string, surfing?: Surfing): Promise<ConsolePage> {
    const surfer = await this.newPage(surfing);
    await this.signIn(surfer, token);
    await this.goTo(surfer, path);
    return surfer;
  }

  async goTo({ page }: ConsolePage, path: string): Promise<void> {
    await page.goto(`${this.cluster.url}${path}`);
  }

  async signIn(surfer: ConsolePage, token: string): Promise<void> {
    const { page } = surfer;
    await this.goTo(surfer, '/');
    await page.getByLabel('Access token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page
      .getByRole('navigation', { name: 'Pages' })
      .or(page.getByRole('button', { name: 'Open the menu' }))
      .first()
      .waitFor();
  }

  /** Of a browser that knows nothing of the others. */
  async newPage({ dark = false, phone = false }: Surfing = {}): Promise<ConsolePage> {
    const context = await (this.browser as Browser).newContext({
      viewport: phone ? PHONE : DESK,
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
}

/** An answer that is an error is told by the page; the browser's own line about it is none of the page's faults. */
function isFault(type: string, text: string): boolean {
  return (type === 'error' || type === 'warning') && !text.startsWith('Failed to load resource');
}

/** Keys of a sequence that come too far apart are none: on a busy machine they are pressed again, as a person would. */
export async function goBy(page: Page, keys: string, heading: string): Promise<void> {
  await waitUntil(`${keys} to lead to ${heading}`, async () => {
    for (const key of keys.split(' ')) await page.keyboard.press(key);
    return page
      .getByRole('heading', { name: heading, level: 1 })
      .waitFor({ timeout: 2_000 })
      .then(
        () => true,
        () => false,
      );
  });
}

/** Fails with what axe found, each with its place. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  expect(found, `axe on ${what}`).toEqual([]);
}
