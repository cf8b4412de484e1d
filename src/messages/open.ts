import type { Store } from '#engine/store.ts';
import { Broker } from './broker.ts';
import { type IntakeTarget, MessageIntake } from './intake.ts';
import { Relay, type RelayOptions } from './relay.ts';

export interface MessagesOptions extends Omit<RelayOptions, 'store'> {
  /** `amqp://…`; may hold a password. */
  url: string;
  stores: readonly Store[];
  target: IntakeTarget;
}

/** Announces what happens to orders, and takes orders in, through RabbitMQ; returns what closes it. */
export async function openMessages({ url, stores, target, holder, clock, log }: MessagesOptions): Promise<{ close(): Promise<void> }> {
  const relays = stores.map((store) => new Relay({ store, holder, clock, log }));
  const broker = new Broker(url, [...relays, new MessageIntake({ target, clock, log })], log);
  await broker.open();
  for (const relay of relays) relay.start();
  return {
    async close() {
      await Promise.all(relays.map((relay) => relay.stop()));
      await broker.close();
    },
  };
}
