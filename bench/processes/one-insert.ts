import Fastify from 'fastify';
import pg from 'pg';
import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import { INSERT_ONE } from '../support/stored-orders.ts';

/** What accepting is compared with: a bare handler, one statement per request, a pool of 10; the same rows. */
const pool = new pg.Pool({ connectionString: process.env['BENCH_URL'] ?? '', max: 10 });
const app = Fastify();
app.post('/orders', async (request, reply) => {
  const orderId = newOrderId(1, systemClock.now(), systemClock.entropy());
  const { rows } = await pool.query<{ at: Date }>({ ...INSERT_ONE, values: [orderId, 'user', JSON.stringify(request.body)] });
  reply.code(202);
  return { order_id: orderId, start_time: rows[0]?.at };
});
console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.once('SIGTERM', async () => {
  await app.close();
  await pool.end();
});
