import type { Browser, CDPSession, Page } from 'playwright-core';
import { DESK, openChromium } from '#test/chromium.ts';

const BYTES_PER_MB = 1_048_576;

/** What Chromium itself says of a page. */
export interface PageWork {
  /** For how long the main thread was at work since the page began, s. */
  busySeconds: number;
  heapMb: number;
  nodes: number;
}

/** One page of the console, signed in as an operator, in a Chromium of its own. */
export class BenchPage {
  readonly page: Page;
  private readonly browser: Browser;
  private readonly session: CDPSession;
  /** The most rows that one request asked for. */
  mostRowsAsked = 0;

  private constructor(browser: Browser, page: Page, session: CDPSession) {
    this.browser = browser;
    this.page = page;
    this.session = session;
    page.on('request', (request) => {
      const limit = Number(new URL(request.url()).searchParams.get('limit') ?? '0');
      this.mostRowsAsked = Math.max(this.mostRowsAsked, limit);
    });
  }

  static async open(url: string): Promise<BenchPage> {
    const browser = await openChromium();
    const context = await browser.newContext({ viewport: DESK });
    await context.request.post(`${url}/session`, { data: { token: 'operator' } });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    return new BenchPage(browser, page, session);
  }

  /** Milliseconds from asking for a page to something of its content standing there. */
  async openPage(url: string, content: string): Promise<number> {
    const began = performance.now();
    await this.page.goto(url, { waitUntil: 'commit' });
    await this.page.locator(content).first().waitFor();
    return performance.now() - began;
  }

  /** After everything that nobody uses any more was thrown away. */
  async readWork(): Promise<PageWork> {
    await this.session.send('HeapProfiler.collectGarbage');
    const { metrics } = await this.session.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
    return { busySeconds: of('TaskDuration'), heapMb: of('JSHeapUsedSize') / BYTES_PER_MB, nodes: of('Nodes') };
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}
