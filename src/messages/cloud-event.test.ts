import { describe, expect, it } from 'vitest';
import { type Announced, routingKeyOf, toCloudEvent } from './cloud-event.ts';

const told: Announced = {
  event: {
    ...{
      orderId: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c',
      version: 5,
      kind: 'step_completed',
      step: 3,
      direction: 'forward',
      sessionId: 7,
      fence: 1,
    },
    ...{ at: Date.UTC(2026, 0, 2, 3, 4, 5, 6), data: { result: { execution_price: '12.50', quantity: 10, factor: '1.25' } } },
  },
  content: { order_id: 'own-1', region: 'HN', symbol: 'abc', quantity: 10 },
  stepName: 'Processing',
};

describe('an announcement', () => {
  it('is a CloudEvent that names the order, what happened, and the price', () => {
    expect(toCloudEvent(told, 'HN')).toEqual({
      specversion: '1.0',
      id: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c:5',
      source: '/warehouses/HN',
      type: 'conveyor.order.step_completed',
      subject: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c',
      time: '2026-01-02T03:04:05.006Z',
      datacontenttype: 'application/json',
      data: {
        ...{ order_id: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c', client_order_id: 'own-1', version: 5, kind: 'step_completed' },
        ...{
          step_name: 'Processing',
          direction: 'forward',
          fence: 1,
          session: 7,
          warehouse: 'HN',
          region: 'HN',
          symbol: 'abc',
          quantity: 10,
        },
        ...{ execution_price: '12.50', detail: told.event.data },
      },
    });
    expect(routingKeyOf(told, 'HN')).toBe('order.step_completed.HN');
  });

  it('leaves out what there is not', () => {
    const accepted = {
      event: { ...told.event, kind: 'accepted' as const, sessionId: null, data: null },
      content: {},
      stepName: 'Scheduling',
    };
    const { data } = toCloudEvent(accepted, 'DN');
    expect(Object.keys(data).sort()).toEqual(['direction', 'fence', 'kind', 'order_id', 'quantity', 'step_name', 'version', 'warehouse']);
    expect(data['quantity']).toBe(1);
  });
});
