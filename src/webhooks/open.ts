import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import type { Webhook } from '#engine/webhook-store.ts';
import { WebhookDispatcher } from './dispatcher.ts';
import { type SenderOptions, WebhookSender } from './sender.ts';

export interface WebhooksOptions extends Omit<SenderOptions, 'clock'> {
  stores: readonly Store[];
  /** Of this process. */
  holder: string;
  clock: Clock;
  log: Log;
  disable: (webhook: Webhook, because: string) => Promise<void>;
}

/** Delivers webhooks for all warehouses; returns what ends it. */
export function openWebhooks({ stores, holder, clock, log, disable, ...sending }: WebhooksOptions): { close(): Promise<void> } {
  const sender = new WebhookSender({ clock, ...sending });
  const dispatchers = stores.map((store) => new WebhookDispatcher({ store, sender, holder, clock, log, disable }));
  for (const dispatcher of dispatchers) dispatcher.start();
  return {
    async close() {
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
      await sender.close();
    },
  };
}
