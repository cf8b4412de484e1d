import { type Figure, median } from '../support/figures.ts';
import type { BenchServer } from '../support/server.ts';
import { measureYardstick } from '../yardstick.ts';
import { installPeers, versionOf } from './install.ts';
import { type Run, runConveyor, runPeer } from './run.ts';
import { findRedis, findRestate, type PeerServer, startRedis, startRestate } from './servers.ts';

interface Peer {
  /** The name of its file, too. */
  name: string;
  packageName: string;
  /** So many that one process is busy for about as long as Conveyor's: code is compiled meanwhile in both. */
  orders: number;
  /** Brings a server; without it the peer stands on the benchmark's PostgreSQL. */
  server?: { missing: string; find(): string | undefined; start(binary: string): Promise<PeerServer> };
  says: string;
}

const PEERS: readonly Peer[] = [
  {
    name: 'pg-boss',
    packageName: 'pg-boss',
    orders: 40_000,
    says: 'one job per order, batches of 50 in lockstep, each step durable; no history of steps',
  },
  {
    name: 'graphile-worker',
    packageName: 'graphile-worker',
    orders: 10_000,
    says: 'one job per order, each step durable; no history of steps',
  },
  {
    name: 'bullmq',
    packageName: 'bullmq',
    orders: 40_000,
    server: { missing: 'redis-server (Debian: apt-get install redis-server)', find: findRedis, start: startRedis },
    says: 'step jobs, each step durable in the log of Redis (fsync always); no history of steps',
  },
  { name: 'dbos', packageName: '@dbos-inc/dbos-sdk', orders: 1_000, says: 'a workflow of four steps, each durable, with a history' },
  {
    name: 'restate',
    packageName: '@restatedev/restate-sdk',
    orders: 3_000,
    server: { missing: '@restatedev/restate-server for this platform', find: findRestate, start: startRestate },
    says: 'four ctx.run, each durable, with a history; measured from submission',
  },
];
const CONVEYOR_ORDERS = 60_000;
const YARDSTICK_ORDERS = 10_000;
const PROCESSES = [1, 2] as const;
const FASTER_THAN_THE_FASTEST = { 1: 2, 2: 1.6 } as const;

interface Sample extends Run {
  ofR: number;
}

/** A peer's run and the run of Conveyor right before it: the same weather. */
interface Pair {
  conveyor: Sample;
  peer: Sample;
}

/** The same order carried by Conveyor and by its peers, each in turn with Conveyor and with the yardstick. */
export async function benchPeers(server: BenchServer, rounds: number, scale: number): Promise<Figure[]> {
  installPeers();
  const peers = PEERS.filter(isThere);
  if (peers.length === 0) return [];
  const figures: Figure[] = [];
  for (const processes of PROCESSES) {
    const pairs = new Map<Peer, Pair[]>(peers.map((peer) => [peer, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of peers) {
        console.error(`  ${peer.name}, ${processes} process${processes > 1 ? 'es' : ''}, round ${round + 1} of ${rounds} …`);
        const conveyor = await sample(server, async (database) =>
          runConveyor(server, database, processes, Math.round(CONVEYOR_ORDERS * scale)),
        );
        const result = await samplePeer(server, peer, processes, Math.round(peer.orders * scale)).catch((error: unknown) => {
          console.error(`  ${peer.name} gives no figure this time: ${error}`);
        });
        if (result) pairs.get(peer)?.push({ conveyor, peer: result });
      }
    }
    figures.push(...report(new Map([...pairs].filter(([, of]) => of.length > 0)), processes));
  }
  return figures;
}

function isThere({ name, packageName, server, says }: Peer): boolean {
  const version = versionOf(packageName);
  const missing = version === undefined ? packageName : server && server.find() === undefined ? server.missing : undefined;
  console.error(missing === undefined ? `  ${name} ${version}: ${says}` : `  ${name} is left out: ${missing} is not installed`);
  return missing === undefined;
}

type Database = Awaited<ReturnType<BenchServer['createDatabase']>>;

/** One run on a fresh database, between two measurements of the yardstick. */
async function sample(server: BenchServer, run: (database: Database) => Promise<Run>): Promise<Sample> {
  const database = await server.createDatabase();
  try {
    const before = await measureYardstick(database.url, YARDSTICK_ORDERS);
    // So that none of what went before falls into the run.
    await database.client.query('checkpoint');
    const result = await run(database);
    const after = await measureYardstick(database.url, YARDSTICK_ORDERS);
    return { ...result, ofR: result.ordersPerSecond / ((before + after) / 2) };
  } finally {
    await database.close();
  }
}

function samplePeer(server: BenchServer, peer: Peer, processes: number, orders: number): Promise<Sample> {
  return sample(server, async (database) => {
    if (!peer.server) return runPeer(peer.name, { url: database.url }, processes, orders, { server, database });
    const own = await peer.server.start(peer.server.find() as string);
    try {
      return await runPeer(peer.name, own.place, processes, orders, own);
    } finally {
      await own.stop();
    }
  });
}

function report(pairs: ReadonlyMap<Peer, readonly Pair[]>, processes: (typeof PROCESSES)[number]): Figure[] {
  const label = `${processes} process${processes > 1 ? 'es' : ''}`;
  const rateOf = (of: readonly Pair[]): number => median(of.map(({ peer }) => peer.ordersPerSecond));
  const leadOf = (of: readonly Pair[]): number => median(of.map(({ conveyor, peer }) => conveyor.ordersPerSecond / peer.ordersPerSecond));
  const [fastest] = [...pairs].sort(([, a], [, b]) => rateOf(b) - rateOf(a));
  if (!fastest) return [];
  return [
    ...figuresOf(
      `Conveyor, ${label}`,
      [...pairs.values()].flat().map(({ conveyor }) => conveyor),
    ),
    ...[...pairs].flatMap(([{ name }, of]) => [
      ...figuresOf(
        `${name}, ${label}`,
        of.map(({ peer }) => peer),
      ),
      { name: '… Conveyor to it', value: leadOf(of), unit: 'ratio' },
    ]),
    {
      name: `Conveyor to the fastest peer (${fastest[0].name}), ${label}`,
      value: leadOf(fastest[1]),
      unit: 'ratio',
      target: { atLeast: FASTER_THAN_THE_FASTEST[processes] },
    },
  ];
}

function figuresOf(name: string, samples: readonly Sample[]): Figure[] {
  const wal = samples.flatMap(({ walPerOrder }) => walPerOrder ?? []);
  return [
    { name, value: median(samples.map(({ ordersPerSecond }) => ordersPerSecond)), unit: 'orders/s' },
    { name: '… of R', value: median(samples.map(({ ofR }) => ofR)), unit: 'ratio' },
    { name: '… CPU per 1,000 orders', value: median(samples.map(({ cpuPer1000 }) => cpuPer1000)), unit: 's' },
    ...(wal.length > 0 ? [{ name: '… WAL per order', value: median(wal), unit: 'bytes' }] : []),
  ];
}
