import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { PageFailure } from './parts/states.tsx';
import { NoSuchPage } from './shell/no-such-page.tsx';
import { Shell } from './shell/shell.tsx';

/** Every page, each in a file of its own that is loaded when it is first opened. What a page shows is in its URL. */

/** A page's search parameters as they stand in the URL: texts only; pages read them with their own care. */
export type Search = Readonly<Record<string, string | undefined>>;

function textsOf(search: Record<string, unknown>): Search {
  return Object.fromEntries(
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );
}

const root = createRootRoute({ component: Shell, errorComponent: PageFailure, notFoundComponent: NoSuchPage });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/overview/overview.tsx'), 'Overview'),
});
const orders = createRoute({
  getParentRoute: () => root,
  path: '/ui/orders',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/orders/orders.tsx'), 'Orders'),
});
const order = createRoute({
  getParentRoute: () => root,
  path: '/ui/orders/$id',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/order/order.tsx'), 'OrderPage'),
});
const cluster = createRoute({
  getParentRoute: () => root,
  path: '/ui/cluster',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/cluster/cluster.tsx'), 'Cluster'),
});
const place = createRoute({
  getParentRoute: () => root,
  path: '/ui/place',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/place/place.tsx'), 'PlaceOrder'),
});
const generator = createRoute({
  getParentRoute: () => root,
  path: '/ui/generator',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/generator/generator.tsx'), 'Generator'),
});
const webhooks = createRoute({
  getParentRoute: () => root,
  path: '/ui/webhooks',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/webhooks/webhooks.tsx'), 'Webhooks'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/ui/audit',
  validateSearch: textsOf,
  component: lazyRouteComponent(() => import('./pages/audit/audit.tsx'), 'Audit'),
});

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
