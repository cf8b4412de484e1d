import { Command, Option } from 'commander';
import { DEFAULT_LEASE } from '#engine/lease.ts';
import { EXIT } from '../faults.ts';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions } from '../options.ts';
import { paint, printRow, renderPairs, say } from '../print.ts';
import { openQuietSurroundings } from '../surroundings.ts';

interface DemoCommandOptions extends OutputOptions {
  orders: number;
  plantViolation?: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const STEP_COUNT = 4;
const STEP = { stepDurationMs: 500, failureRate: 0.05 };

export function demoCommand(): Command {
  const command = new Command('demo')
    .description('The whole story in about a minute: a cluster, orders, a node killed, a node paused, and a verdict from the histories.')
    .option('--orders <number>', 'how many orders', countOption(20, 5_000), 500)
    .addOption(new Option('--plant-violation', 'write an event that no node may write, to see that the verdict finds it').hideHelp());
  addOutput(command);
  addExamples(command, 'conveyor demo', 'conveyor demo --orders 500');
  return command.action(async (options: DemoCommandOptions) => {
    process.exitCode = await runDemo(options);
  });
}

async function runDemo(options: DemoCommandOptions): Promise<number> {
  const [{ startDemoCluster }, { Screen }, { Story }, { judgeDemo }] = await Promise.all([
    import('../demo/cluster.ts'),
    import('../demo/screen.ts'),
    import('../demo/story.ts'),
    import('../demo/verdict.ts'),
  ]);
  const surroundings = openQuietSurroundings();
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(new Error('interrupted'));
  // A terminal that is closed ends it too: its nodes are in groups of their own and would stay.
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const isForPeople = formatOf(options) === 'table' || formatOf(options) === 'wide';
  const screen = new Screen(isForPeople ? process.stdout : process.stderr);
  try {
    await using cluster = await startDemoCluster(STEP, surroundings);
    const story = new Story({
      cluster,
      screen,
      clock: surroundings.clock,
      orders: options.orders,
      leaseTtlMs: DEFAULT_LEASE.ttlMs,
      signal: interrupt.signal,
    });
    await story.tell();
    if (options.plantViolation) await plantViolation(cluster.databaseUrl);
    const verdict = await judgeDemo(cluster.store, story.orderIds, STEP_COUNT, story.takeoverS);
    screen.close();
    if (isForPeople) process.stdout.write(renderVerdict(verdict));
    else printRow(verdict, [], formatOf(options));
    return verdict.verdict === 'passed' ? EXIT.done : EXIT.failed;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    say('interrupted; the demo’s processes and data are gone');
    return EXIT.interrupted;
  } finally {
    screen.close();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

type Verdict = Awaited<ReturnType<typeof import('../demo/verdict.ts').judgeDemo>>;

function renderVerdict(verdict: Verdict): string {
  const pairs: [string, string][] = [
    ['Accepted', String(verdict.accepted)],
    ['Completed', String(verdict.completed)],
    ['Failed and rolled back', String(verdict.failed)],
    ['Lost', String(verdict.lost)],
    ['Handed to another node', String(verdict.handed_over)],
    ['Back at work after kill -9', verdict.takeover_s === null ? 'not measured' : `${verdict.takeover_s.toFixed(2)} s`],
    ['Writes refused', String(verdict.fenced_writes)],
    ['Violations', String(verdict.violations.length)],
  ];
  const faults = verdict.violations.slice(0, 10).map((violation) => `  ${paint('red', violation)}\n`);
  const sentence =
    verdict.verdict === 'passed'
      ? paint('green', 'Nothing was lost, nothing was done twice, every rollback is complete.')
      : paint('red', 'The histories break what Conveyor promises.');
  return `\n${paint('bold', 'Verdict, read from the complete history of every order')}\n\n${renderPairs(pairs, '  ')}${faults.join('')}\n${sentence}\n`;
}

/** A completed order completes once more, written behind everybody's back. */
async function plantViolation(url: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
      select order_id, version + 1, kind, step, direction, session_id, fence, clock_timestamp()
        from order_events where kind = 'completed' limit 1`);
  } finally {
    await client.end();
  }
}
