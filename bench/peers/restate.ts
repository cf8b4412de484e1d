import * as restate from '@restatedev/restate-sdk';
import * as clients from '@restatedev/restate-sdk-clients';
import { freePort } from '../../test/support/waiting.ts';
import { type Carrier, inParallel, type Place, STEP_NAMES } from './carrier.ts';

/**
 * Restate: a service whose handler does four `ctx.run` steps, each journaled by the server before the next:
 * https://docs.restate.dev/develop/ts/durable-steps. Each process serves its service over HTTP/2
 * (https://docs.restate.dev/develop/ts/serving) and calls it through the ingress, 50 calls at once. Orders cannot wait
 * while nobody serves them without retries, so this is measured from the first order's submission. A second process serves
 * a service of its own, as a load balancer would spread them.
 */
const serviceOf = (process: number): string => `order-${process}`;

export const carrier: Carrier = {
  prepare: async () => undefined,

  async connect(place, share) {
    const name = serviceOf(share.process);
    const carry = async (context: restate.Context, order: number): Promise<void> => {
      for (const [step, stepName] of STEP_NAMES.entries()) await context.run(stepName, () => share.run(order, step));
    };
    const service = restate.service({ name, handlers: { carry } });
    const port = await freePort();
    await restate.serve({ services: [service], port, logger: () => undefined });
    await register(place, `http://127.0.0.1:${port}`);
    const client = clients.connect({ url: place.url }).serviceClient<typeof service>({ name });
    return { begin: () => inParallel(share, (order) => client.carry(order)), stop: async () => undefined };
  },

  async endedAt({ adminUrl }, count) {
    const [row] = await query(adminUrl, `select count(*) as ended from sys_invocation where status = 'completed'`);
    return row?.ended === count ? Date.now() : undefined;
  },
};

async function register({ adminUrl }: Place, uri: string): Promise<void> {
  const answer = await fetch(`${adminUrl}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri }),
  });
  if (!answer.ok) throw new Error(`Restate did not take the service: ${answer.status} ${await answer.text()}`);
}

async function query(adminUrl: string | undefined, sql: string): Promise<{ ended: number }[]> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const answer = await fetch(`${adminUrl}/query`, { method: 'POST', headers, body: JSON.stringify({ query: sql }) });
  return ((await answer.json()) as { rows: { ended: number }[] }).rows;
}
