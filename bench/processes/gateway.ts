import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { serveOrders } from './serve-orders.ts';

/** A gateway on the database of `BENCH_URL`. */
await serveOrders(await openPostgresStore({ url: process.env['BENCH_URL'] ?? '', log: silentLog, clock: systemClock }));
