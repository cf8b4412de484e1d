import { BenchPage, type PageContent, type PageWork } from './support/browser.ts';
import { startChild } from './support/child.ts';
import { type Figure, type Measured, median } from './support/figures.ts';
import { startPacedLoad } from './support/paced-load.ts';
import { type BenchServer, withDatabase } from './support/server.ts';
import { rollUpStatistics, someFinishedIds, storeFinishedOrders } from './support/stored-orders.ts';

/** Chromium keeps what it compiled of a script when it has met it twice: as for whoever uses the console every day. */
const OPENED_BEFORE = 3;
const OPENINGS = 7;
const HEADING = { selector: 'main h1' };
const EVENTS_PER_SECOND = 500;
/** Accepted, claimed, four steps of which the last is the end. */
const EVENTS_PER_ORDER = 6;
const LOOKS = 10;
const STEP_MS = 250;

interface PageToOpen {
  name: string;
  path: string;
  content: PageContent;
}

/** Each with a text or an element that is there only once what the page asked for has come. */
function pagesToOpen(orderId: string): PageToOpen[] {
  const aRow = { selector: 'main tbody a[href^="/ui/orders/"]' };
  const figures = { selector: 'main', text: 'accepted in' };
  return [
    { name: 'overview', path: '/', content: figures },
    { name: 'overview of a week', path: '/?range=7d', content: figures },
    { name: 'orders', path: '/ui/orders', content: aRow },
    { name: "a customer's orders", path: '/ui/orders?q=customer:%22Customer+7%22', content: aRow },
    { name: 'orders that were cancelled', path: '/ui/orders?q=status:cancelled', content: aRow },
    { name: 'an order', path: `/ui/orders/${orderId}`, content: { selector: 'main [data-bar]' } },
    { name: 'cluster', path: '/ui/cluster', content: { selector: 'main [data-node]' } },
    { name: 'place an order', path: '/ui/place', content: { selector: 'main form' } },
    { name: 'generator', path: '/ui/generator', content: { selector: 'main form' } },
    { name: 'webhooks', path: '/ui/webhooks', content: { selector: 'main h2' } },
    { name: 'audit', path: '/ui/audit', content: { selector: 'main h2, main table' } },
  ];
}

/**
 * The console in Chromium: how soon each page shows something while very many orders are stored, what the first load weighs, and
 * what the page costs while 500 events a second arrive.
 */
export function benchConsole(server: BenchServer, size: { storedOrders: number; consoleMinutes: number }): Promise<Measured> {
  return withDatabase(server, async ({ url, client }) => {
    await storeFinishedOrders(client, size.storedOrders);
    await rollUpStatistics(client);
    const gateway = await startChild('gateway.ts', { BENCH_URL: url });
    const nodes = await startChild('cluster-nodes.ts', { BENCH_URL: url, BENCH_NODES: '4', BENCH_STEP_MS: String(STEP_MS) });
    const page = await BenchPage.open(gateway.ready);
    try {
      const [orderId = ''] = await someFinishedIds(client, 1);
      const first = await measureFirstLoad(page, gateway.ready);
      const busy = await followEvents(page, gateway.ready, size.consoleMinutes);
      // Last: for minutes after so many orders were stored the machine is still writing them.
      const opened = await openPages(page, gateway.ready, orderId);
      return {
        figures: [
          { name: 'finished orders stored while pages are opened', value: size.storedOrders, unit: 'orders' },
          ...first,
          ...opened,
          { name: 'rows that one request of a page asks for, most', value: page.mostRowsAsked, unit: 'rows', target: { atMost: 200 } },
          ...busy,
        ],
      };
    } finally {
      await page.close();
      await nodes.stop();
      await gateway.stop();
    }
  });
}

async function openPages(page: BenchPage, gatewayUrl: string, orderId: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, path, content } of pagesToOpen(orderId)) {
    const tookMs: number[] = [];
    for (let opening = 0; opening < OPENED_BEFORE; opening += 1) await page.openPage(`${gatewayUrl}${path}`, content);
    for (let opening = 0; opening < OPENINGS; opening += 1) tookMs.push(await page.openPage(`${gatewayUrl}${path}`, content));
    figures.push({ name: `page: ${name}, to its first content`, value: median(tookMs), unit: 'ms', target: { atMost: 300 } });
  }
  return figures;
}

/** With an empty cache: what is transferred, the largest paint, and how much moved by itself. */
async function measureFirstLoad(page: BenchPage, gatewayUrl: string): Promise<Figure[]> {
  await page.openPage(`${gatewayUrl}/`, HEADING);
  await page.page.waitForLoadState('networkidle').catch(() => undefined);
  const load = await page.page.evaluate(readFirstLoad);
  return [
    { name: 'first load, compressed', value: load.bytes / 1_000, unit: 'kB', target: { atMost: 250 } },
    { name: 'largest contentful paint, empty cache', value: load.lcpMs, unit: 'ms' },
    { name: 'cumulative layout shift', value: load.shift, unit: 'score' },
  ];
}

/** What browsers say of a paint or of a shift. */
interface PageEntry {
  startTime: number;
  value?: number;
  hadRecentInput?: boolean;
}

/** Runs in the page. */
async function readFirstLoad(): Promise<{ bytes: number; lcpMs: number; shift: number }> {
  const entriesOf = (type: string): Promise<PageEntry[]> =>
    new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
      observer.observe({ type, buffered: true } as never);
      setTimeout(() => resolve([]), 500);
    });
  const files = performance.getEntriesByType('resource') as unknown as { name: string; encodedBodySize: number }[];
  const bytes = files.filter(({ name }) => name.includes('/assets/')).reduce((sum, file) => sum + file.encodedBodySize, 0);
  const paints = await entriesOf('largest-contentful-paint');
  const shifts = await entriesOf('layout-shift');
  return {
    bytes,
    lcpMs: paints.at(-1)?.startTime ?? Number.NaN,
    shift: shifts.filter(({ hadRecentInput }) => !hadRecentInput).reduce((sum, { value = 0 }) => sum + value, 0),
  };
}

async function followEvents(page: BenchPage, gatewayUrl: string, minutes: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const path of ['/', '/ui/orders']) figures.push(...(await followOn(page, { gatewayUrl, path, minutes })));
  return figures;
}

async function followOn(page: BenchPage, asked: { gatewayUrl: string; path: string; minutes: number }): Promise<Figure[]> {
  const { gatewayUrl, path, minutes } = asked;
  const load = await startPacedLoad(gatewayUrl, EVENTS_PER_SECOND / EVENTS_PER_ORDER);
  await page.openPage(`${gatewayUrl}${path}`, HEADING);
  const everyMs = (minutes * 60_000) / LOOKS;
  const looks: PageWork[] = [];
  const began = performance.now();
  for (let look = 0; look <= LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + look * everyMs - performance.now())));
    looks.push(await page.readWork());
  }
  await load.end();
  const [first, last] = [looks[1] as PageWork, looks.at(-1) as PageWork];
  const busy = (last.busySeconds - (looks[0] as PageWork).busySeconds) / (minutes * 60);
  const name = path === '/' ? 'overview' : 'orders';
  return [
    {
      name: `${name}, ${EVENTS_PER_SECOND} events/s for ${minutes} minutes: main thread busy`,
      value: busy,
      unit: 'share',
      target: { atMost: 0.5 },
    },
    { name: '… memory of its scripts after a tenth', value: first.heapMb, unit: 'MB' },
    { name: '… at the end', value: last.heapMb, unit: 'MB' },
    { name: '… at the end, to after a tenth', value: last.heapMb / first.heapMb, unit: 'ratio', target: { atMost: 1.2 } },
    { name: '… elements at the end, to after a tenth', value: last.nodes / first.nodes, unit: 'ratio' },
  ];
}
