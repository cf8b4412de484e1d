/**
 * The gateway's clock as this machine sees it. Histories bear the times of the warehouse; a browser whose clock is wrong would
 * show orders that began in the future or that have been running for an hour.
 */
let aheadMs = 0;

const WHOLE_SECOND_MS = 1_000;

/** What an answer's `Date` says, which is exact to the second; while it can be right, this machine's clock is taken as right. */
export function noteGatewayDate(date: string | null, askedAt: number, answeredAt: number): void {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) return;
  const least = at - answeredAt;
  const most = at + WHOLE_SECOND_MS - askedAt;
  aheadMs = Math.min(Math.max(0, least), most);
}

export function gatewayNow(): number {
  return Date.now() + aheadMs;
}
