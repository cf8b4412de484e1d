import { createHmac } from 'node:crypto';

/** Signatures as Standard Webhooks 1.0 has them (https://www.standardwebhooks.com): over id, moment and body, with HMAC-SHA256. */

/** The headers of one try. The id is that of the delivery: the same for every try. */
export function signedHeaders(base64Secret: string, delivery: { id: string; atS: number; body: string }): Record<string, string> {
  const { id, atS, body } = delivery;
  const signature = createHmac('sha256', Buffer.from(base64Secret, 'base64')).update(`${id}.${atS}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(atS), 'webhook-signature': `v1,${signature}` };
}
