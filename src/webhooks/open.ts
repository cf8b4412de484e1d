import type { Store } from '#engine/store.ts';
import { type DispatcherOptions, WebhookDispatcher } from './dispatcher.ts';
import { type SenderOptions, WebhookSender } from './sender.ts';

export interface WebhooksOptions extends Omit<DispatcherOptions, 'store' | 'sender'>, SenderOptions {
  stores: readonly Store[];
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
