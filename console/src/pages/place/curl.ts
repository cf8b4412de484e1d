import type { OrderContent } from '#domain/order.ts';

/** The same request from a shell. */
export function curlOf(origin: string, content: OrderContent, idempotencyKey: string): string {
  return [
    `curl -X POST ${quote(`${origin}/orders`)}`,
    `  -H "Authorization: Bearer $CONVEYOR_TOKEN"`,
    `  -H 'Content-Type: application/json'`,
    `  -H ${quote(`Idempotency-Key: ${idempotencyKey}`)}`,
    `  -d ${quote(JSON.stringify(content))}`,
  ].join(' \\\n');
}

/** One word of a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
