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

/** What a page shows once it has what it asked for: an element that holds the text. */
export interface PageContent {
  selector: string;
  text?: string;
}

/** Runs in the page, before anything else does: `contentShown` is how many milliseconds after the request the content was painted. */
const NOTE_CONTENT = `({ selector, text = '' }) => {
  const isThere = () => [...document.querySelectorAll(selector)].some((element) => element.textContent.includes(text));
  window.contentShown = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!isThere()) return;
      observer.disconnect();
      // It is painted with the next frame.
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    });
    observer.observe(document, { childList: true, subtree: true, characterData: true });
  });
}`;

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
    for (const domain of ['Performance.enable', 'Page.enable'] as const) await session.send(domain);
    return new BenchPage(browser, page, session);
  }

  /** Milliseconds from the request of a page to the frame that shows its content, by the page's own clock. */
  async openPage(url: string, content: PageContent): Promise<number> {
    const source = `(${NOTE_CONTENT})(${JSON.stringify(content)})`;
    const { identifier } = await this.session.send('Page.addScriptToEvaluateOnNewDocument', { source });
    await this.page.goto(url, { waitUntil: 'commit' });
    const shownAt = await this.page.evaluate<number>('contentShown');
    await this.session.send('Page.removeScriptToEvaluateOnNewDocument', { identifier });
    return shownAt;
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
