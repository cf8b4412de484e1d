import { orderRequest, RawClient } from '../support/raw-client.ts';

/** Orders to the gateway at `BENCH_TARGET`, `BENCH_RATE` a second, whatever becomes of them, until it is asked to end; then it tells. */
const target = process.env['BENCH_TARGET'] ?? '';
const rate = Number(process.env['BENCH_RATE']);
const CONNECTIONS = 64;
const TICK_MS = 2;
const DRAIN_MS = 10_000;

const told = { sent: 0, accepted: 0, refused: 0, unanswered: 0 };
const request = orderRequest(target);
const clients = await Promise.all(
  Array.from({ length: CONNECTIONS }, () =>
    RawClient.open(
      target,
      ({ status }) => {
        if (status === 202) told.accepted += 1;
        else told.refused += 1;
      },
      () => undefined,
    ),
  ),
);
console.log('ready paced');
const began = performance.now();
const timer = setInterval(() => {
  const dueNow = Math.floor(((performance.now() - began) / 1_000) * rate);
  for (; told.sent < dueNow; told.sent += 1) (clients[told.sent % CONNECTIONS] as RawClient).send(request);
}, TICK_MS);
process.once('SIGTERM', () => void finish());

async function finish(): Promise<void> {
  clearInterval(timer);
  const unanswered = (): number => clients.reduce((sum, { waiting }) => sum + waiting, 0);
  const end = performance.now() + DRAIN_MS;
  while (unanswered() > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  console.log(JSON.stringify({ ...told, unanswered: unanswered() }));
  process.exit();
}
