import { ConveyorError } from '#domain/errors.ts';
import { newestOfEach } from '#engine/versioned.ts';
import type { Webhook } from '#engine/webhook-store.ts';
import type { GatewayContext } from './context.ts';
import { NO_RECORDS, writeEverywhere } from './warehouses/shared-records.ts';

/** Webhooks are kept in every warehouse; the newest record of each counts. */
export async function findWebhooks({ warehouses }: Pick<GatewayContext, 'warehouses'>): Promise<Webhook[]> {
  const answers = await Promise.allSettled(warehouses.here.map(({ store }) => store.webhooks.list()));
  if (!answers.some(({ status }) => status === 'fulfilled')) throw new ConveyorError('warehouse-unavailable', 'no warehouse answers');
  const copies = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  return newestOfEach(copies, ({ id }) => id).sort((a, b) => a.createdAt - b.createdAt);
}

export async function saveWebhook({ warehouses }: Pick<GatewayContext, 'warehouses'>, webhook: Webhook): Promise<void> {
  await writeEverywhere(warehouses, ({ store }) => store.peers.importShared({ ...NO_RECORDS, webhooks: [webhook] }));
}

/** What was not delivered begins anew; where a database is away, what was given up stays so until it is redelivered by hand. */
export async function resumeWebhook({ warehouses }: Pick<GatewayContext, 'warehouses'>, webhookId: string): Promise<void> {
  await Promise.allSettled(warehouses.here.map(({ store }) => store.webhooks.resume(webhookId)));
}
