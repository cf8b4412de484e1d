import type { ConfirmChannel } from 'amqplib';
import { type Announced, CLOUD_EVENT_TYPE, routingKeyOf, toCloudEvent } from './cloud-event.ts';

export const EXCHANGE = 'conveyor.orders';

/** Tells whoever listens of these events of a warehouse, in this order; resolves when the broker has confirmed them all. */
export async function announce(channel: ConfirmChannel, events: readonly Announced[], warehouse: string): Promise<void> {
  for (const told of events) {
    const event = toCloudEvent(told, warehouse);
    channel.publish(EXCHANGE, routingKeyOf(told, warehouse), Buffer.from(JSON.stringify(event)), {
      contentType: CLOUD_EVENT_TYPE,
      persistent: true,
      messageId: event.id,
      type: event.type,
    });
  }
  await channel.waitForConfirms();
}
