import { orderRequest, type RawAnswer, RawClient } from '../support/raw-client.ts';
import { startSlowClients } from '../support/slow-clients.ts';

/**
 * Orders to the gateway at `BENCH_TARGET`, `BENCH_RATE` a second, whatever becomes of them, until it is asked to end; then it tells.
 * They go over `BENCH_CONNECTIONS`, `BENCH_BATCH` of them in one go; a connection that waits for `BENCH_MOST_WAITING` answers is left
 * out. `BENCH_SLOW_CLIENTS` come along.
 */
const numberOf = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const target = process.env['BENCH_TARGET'] ?? '';
const rate = numberOf('BENCH_RATE', 0);
const connections = numberOf('BENCH_CONNECTIONS', 64);
const batch = numberOf('BENCH_BATCH', 1);
const mostWaiting = numberOf('BENCH_MOST_WAITING', Number.POSITIVE_INFINITY);
const TICK_MS = 2;
const DRAIN_MS = 30_000;

const told = { offered: 0, sent: 0, accepted: 0, overloaded: 0, withoutRetryAfter: 0, otherAnswers: 0, cutOff: 0 };
const note = ({ status, hasRetryAfter }: RawAnswer): void => {
  if (status === 202) told.accepted += 1;
  else if (status === 503) {
    told.overloaded += 1;
    if (!hasRetryAfter) told.withoutRetryAfter += 1;
  } else told.otherAnswers += 1;
};
const request = orderRequest(target);
let ended = false;
const noteEnd = (): void => {
  if (!ended) told.cutOff += 1;
};
const clients: RawClient[] = [];
for (let opened = 0; opened < connections; opened += 1) clients.push(await RawClient.open(target, note, noteEnd));
const slow = startSlowClients(target, request, numberOf('BENCH_SLOW_CLIENTS', 0));
console.log('ready paced');

const began = performance.now();
let next = 0;
const timer = setInterval(() => {
  for (const due = ((performance.now() - began) / 1_000) * rate; told.offered + batch <= due; told.offered += batch) {
    const client = clients[next] as RawClient;
    next = (next + 1) % connections;
    if (client.waiting + batch > mostWaiting) continue;
    client.send(request, batch);
    told.sent += batch;
  }
}, TICK_MS);
process.once('SIGTERM', () => void finish());

async function finish(): Promise<void> {
  clearInterval(timer);
  slow.stop();
  const unanswered = (): number => clients.reduce((sum, { waiting }) => sum + waiting, 0);
  const end = performance.now() + DRAIN_MS;
  while (unanswered() > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  ended = true;
  console.log(JSON.stringify({ ...told, unanswered: unanswered() }));
  process.exit();
}
