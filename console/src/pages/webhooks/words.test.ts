import { describe, expect, it } from 'vitest';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { explainDisabled, tellDisabled, tellEvents, tellLastAnswer, tellState, urlFault, WEBHOOK_EVENTS } from './words.ts';

const webhook = (fields: Partial<WebhookJson>): WebhookJson => ({
  ...{ id: 'w', url: 'https://x', events: [], enabled: false, customer_id: 'c', created_at: '' },
  ...fields,
});

describe('why nothing is sent', () => {
  it('is nothing while something is', () => {
    expect(explainDisabled(webhook({ enabled: true }))).toBeUndefined();
  });

  it.each([
    ['by its owner', /^Disabled by its owner\. What happens meanwhile waits/],
    ['it answered 410: gone', /gone for good \(410\)\. Enter the new address/],
    ['no delivery succeeded for three days; the last time: it answered 500', /for three days; the last time: it answered 500\. See that/],
  ])('%s', (because, expected) => {
    expect(explainDisabled(webhook({ disabled_because: because }))).toMatch(expected);
  });

  it('is short in a list', () => {
    expect(tellDisabled(webhook({ disabled_because: 'by its owner' }))).toBe('by its owner');
    expect(tellDisabled(webhook({ disabled_because: 'it answered 410: gone' }))).toBe('gone (410)');
    expect(tellDisabled(webhook({ disabled_because: 'no delivery succeeded for three days; the last time: x' }))).toBe(
      'no delivery succeeded for three days',
    );
  });
});

describe('a delivery', () => {
  it('has a word for each state', () => {
    expect(tellState({ state: 'waiting', attempts: 0 })).toEqual({ tone: 'calm', state: 'Waiting' });
    expect(tellState({ state: 'waiting', attempts: 3 }).state).toBe('Tried, waiting');
    expect(tellState({ state: 'delivered', attempts: 1 }).tone).toBe('good');
    expect(tellState({ state: 'given_up', attempts: 9 }).tone).toBe('bad');
  });

  it('says what was answered last', () => {
    expect(tellLastAnswer({})).toBe('');
    expect(tellLastAnswer({ last_status: 204 })).toBe('it answered 204');
    expect(tellLastAnswer({ last_error: 'connect ECONNREFUSED' })).toBe('connect ECONNREFUSED');
  });
});

describe('events', () => {
  it('are short, and all of them have one word', () => {
    expect(tellEvents(['order.completed', 'order.failed'])).toBe('completed, failed');
    expect(tellEvents(WEBHOOK_EVENTS.map(({ event }) => event))).toBe('every event');
  });
});

describe('an address', () => {
  it.each(['https://example.com/hooks', ' http://10.0.0.1:9000/x?y '])('%s may be one', (text) => expect(urlFault(text)).toBeUndefined());
  it.each(['', 'example.com', 'ftp://x', 'javascript:alert(1)', `https://x/${'a'.repeat(2_000)}`])('%s is none', (text) =>
    expect(urlFault(text)).toBeDefined(),
  );
});
