import Fastify from 'fastify';
import pg from 'pg';
import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';

/** What accepting is compared with: a bare handler, one statement per request, a pool of 10; the same rows. */
const pool = new pg.Pool({ connectionString: process.env['BENCH_URL'] ?? '', max: 10 });
const INSERT = {
  name: 'insert_one',
  text: `with stored as (
           insert into orders (order_id, customer_id, workflow_id, content, accepted_at, next_run_at)
           values ($1, $2, 1, $3, statement_timestamp(), statement_timestamp()))
         insert into order_events (order_id, version, kind, step, direction, fence, at)
         values ($1, 1, 'accepted', 1, 'forward', 0, statement_timestamp()) returning at`,
};
const app = Fastify();
app.post('/orders', async (request, reply) => {
  const orderId = newOrderId(1, systemClock.now(), systemClock.entropy());
  const { rows } = await pool.query<{ at: Date }>({ ...INSERT, values: [orderId, 'user', JSON.stringify(request.body)] });
  reply.code(202);
  return { order_id: orderId, start_time: rows[0]?.at };
});
console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.once('SIGTERM', async () => {
  await app.close();
  await pool.end();
});
