import { describe, expect, it } from 'vitest';
import { hasRabbit } from '#test/rabbitmq.ts';
import { runAnnouncements, runIntake } from '../../bench/chaos/messages.ts';

describe.skipIf(!hasRabbit)('with a RabbitMQ server', () => {
  it('I13: every event is announced, those of each order in their order, though the broker and the gateway are killed', async () => {
    const result = await runAnnouncements({ orders: 600, ordersPerSecond: 100, brokerKills: 1, gatewayKills: 2 });
    expect(result.violations).toEqual([]);
    expect(result.heard).toBe(result.events);
    expect(result.events).toBeGreaterThan(600 * 5);
  });

  it('I1 I2: orders that come as messages exist once each; what is none lies among the dead with its reason', async () => {
    const result = await runIntake({ messages: 900, gatewayKills: 2 });
    expect(result.violations).toEqual([]);
    expect(result.stored).toBe(result.valid);
    expect(result.dead).toBe(result.malformed);
    expect(result.malformed).toBeGreaterThan(10);
  });
});
