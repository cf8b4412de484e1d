import Fastify from 'fastify';

/** What reading is compared with: a bare handler that has its answer, `BENCH_ANSWER`, at hand. */
const answer: unknown = JSON.parse(process.env['BENCH_ANSWER'] ?? '{}');
const app = Fastify();
app.get('/orders/:id', async () => answer);
console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.once('SIGTERM', () => void app.close());
