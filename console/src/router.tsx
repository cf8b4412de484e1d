import { createRootRoute, createRoute, createRouter, lazyRouteComponent as lazy } from '@tanstack/react-router';
import { clusterQuery } from './api/cluster.ts';
import { queryClient } from './api/query-client.ts';
import { type Session, sessionQuery } from './api/session.ts';
import { statisticsQuery } from './api/statistics.ts';
import { orderEventsQuery, orderQuery } from './pages/order/order-queries.ts';
import { parseQuery } from './pages/orders/query/query.ts';
import { listQuery } from './pages/orders/rows/order-pages.ts';
import { readRange } from './pages/overview/ranges.ts';
import { PageFailure } from './parts/states.tsx';
import { NoSuchPage } from './shell/no-such-page.tsx';
import { Shell } from './shell/shell.tsx';

/**
 * Every page, each in a file of its own that is loaded when it is first opened: the file that is called like its folder, so that
 * `index.html` can ask for it ahead. What a page shows is in its URL.
 */

/** A page's search parameters as they stand in the URL: texts only; pages read them with their own care. */
type Search = Readonly<Record<string, string | undefined>>;

function textsOf(search: Record<string, unknown>): Search {
  return Object.fromEntries(
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );
}

const root = createRootRoute({ component: Shell, errorComponent: PageFailure, notFoundComponent: NoSuchPage });

const page = { getParentRoute: () => root, validateSearch: textsOf };

/** An answer that comes so soon is shown with the page, in one go; for a later one the page shows that it waits. */
const PATIENCE_MS = 100;

/**
 * What a page shows first is asked for while its code is still on the way; whoever only points at a link gets the code alone. Resolves
 * when the page may be shown.
 */
async function askAhead({ preload }: { preload: boolean }, ask: (session: Session) => Promise<unknown> | undefined): Promise<void> {
  if (preload) return;
  const asked = queryClient.query(sessionQuery).then((session) => (typeof session === 'object' ? ask(session) : undefined));
  // What is wrong is said where the answer is shown.
  const settled = asked.catch(() => undefined);
  await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

const overview = createRoute({
  ...page,
  path: '/',
  component: lazy(() => import('./pages/overview/overview.tsx'), 'Overview'),
  loader: (to) => {
    const range = readRange(textsOf(to.location.search)['range']);
    return askAhead(to, ({ role }) => (role === 'operator' ? queryClient.query(statisticsQuery(range)) : undefined));
  },
});
const orders = createRoute({
  ...page,
  path: '/ui/orders',
  component: lazy(() => import('./pages/orders/orders.tsx'), 'Orders'),
  loader: (to) => {
    const { query } = parseQuery(textsOf(to.location.search)['q'] ?? '');
    return askAhead(to, () => queryClient.infiniteQuery(listQuery(query)));
  },
});
const order = createRoute({
  ...page,
  path: '/ui/orders/$id',
  component: lazy(() => import('./pages/order/order.tsx'), 'OrderPage'),
  loader: (to) => {
    const { id } = to.params;
    return askAhead(to, () => Promise.all([queryClient.query(orderQuery(id)), queryClient.query(orderEventsQuery(id))]));
  },
});
const cluster = createRoute({
  ...page,
  path: '/ui/cluster',
  component: lazy(() => import('./pages/cluster/cluster.tsx'), 'Cluster'),
  loader: (to) => askAhead(to, ({ role }) => (role === 'operator' ? queryClient.query(clusterQuery) : undefined)),
});
const place = createRoute({ ...page, path: '/ui/place', component: lazy(() => import('./pages/place/place.tsx'), 'PlaceOrder') });
const generator = createRoute({
  ...page,
  path: '/ui/generator',
  component: lazy(() => import('./pages/generator/generator.tsx'), 'Generator'),
});
const webhooks = createRoute({ ...page, path: '/ui/webhooks', component: lazy(() => import('./pages/webhooks/webhooks.tsx'), 'Webhooks') });
const audit = createRoute({ ...page, path: '/ui/audit', component: lazy(() => import('./pages/audit/audit.tsx'), 'Audit') });

export const router = createRouter({
  routeTree: root.addChildren([overview, orders, order, cluster, place, generator, webhooks, audit]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  // Plain texts in the URL: no JSON, so that a person can write one.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(Object.entries(textsOf(search)) as [string, string][]).toString();
    return text === '' ? '' : `?${text}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
