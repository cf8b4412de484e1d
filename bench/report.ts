import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { computeLimit, describeLimit, idsOf } from './report/limit.ts';
import { drawPlot } from './report/plot.ts';
import { TEXTS } from './report/texts.ts';
import { type Figure, formatValue, isMet, promiseOf } from './support/figures.ts';
import { RESULTS_FOLDER, type SavedResult } from './support/results.ts';

/** `npm run performance`: docs/performance.md and its plots from the newest result of each suite in bench/results. */

const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const PLOTS = fileURLToPath(new URL('../docs/performance/', import.meta.url));

export async function writeReport(): Promise<void> {
  const results = inOrder(await readNewest());
  await rm(PLOTS, { recursive: true, force: true });
  if (results.some(({ plots }) => plots?.length)) await mkdir(PLOTS, { recursive: true });
  for (const result of results)
    for (const [index, plot] of (result.plots ?? []).entries()) await writeFile(`${PLOTS}${plotName(result, index)}`, drawPlot(plot));
  await writeFile(DOCUMENT, `${renderReport(results).join('\n')}\n`);
  console.error('wrote docs/performance.md');
}

/** One for each suite; a thorough one before a quick one, then the newest. */
async function readNewest(): Promise<SavedResult[]> {
  const names = (await readdir(RESULTS_FOLDER).catch(() => [])).filter((name) => name.endsWith('.json'));
  const newest = new Map<string, SavedResult>();
  for (const name of names) {
    const result = JSON.parse(await readFile(`${RESULTS_FOLDER}${name}`, 'utf8')) as SavedResult;
    const known = newest.get(result.suite);
    if (!known || rankOf(result) > rankOf(known)) newest.set(result.suite, result);
  }
  return [...newest.values()];
}

function rankOf({ isQuick, measuredAt }: SavedResult): string {
  return `${isQuick ? 0 : 1} ${measuredAt}`;
}

function inOrder(results: SavedResult[]): SavedResult[] {
  const order = Object.keys(TEXTS);
  const place = ({ suite }: SavedResult): number => (order.includes(suite) ? order.indexOf(suite) : order.length);
  return results.toSorted((a, b) => place(a) - place(b) || (a.suite < b.suite ? -1 : 1));
}

function renderReport(results: readonly SavedResult[]): string[] {
  const figures = results.flatMap((result) => result.figures);
  return [
    '# Performance',
    '',
    'Written by `npm run performance` from the newest results in `bench/results`; do not edit. All of it is measured again, and this page',
    'written, by',
    '',
    '```',
    'npm run bench -- --full --save',
    '```',
    '',
    'That takes some hours, and 10 GB of disk while it runs. `npm run bench` alone shows the most important figures in a few minutes,',
    '`npm run bench -- --only NAME` one suite (its name stands under each heading), `--quick` a first impression.',
    '',
    '## How to read it',
    '',
    'Nothing is compared with a number from another machine: what ours is held against is measured in turn with it, on the same database',
    'server, and the ratio is what counts. Figures are medians of the rounds. The client that makes the load, the gateway, the nodes and',
    'PostgreSQL share the machine, so all of them together have its cores. PostgreSQL is durable as in production: `fsync` and',
    '`synchronous_commit` are on. A run that lost an order, broke a history or got a wrong answer has no figures at all: it is refused.',
    '',
    ...renderTargets(results),
    '## Where one warehouse’s limit lies',
    '',
    ...describeLimit(computeLimit(idsOf(figures))),
    '',
    ...results.flatMap(renderSuite),
  ].slice(0, -1);
}

function renderTargets(results: readonly SavedResult[]): string[] {
  const rows = results.flatMap(({ suite, figures }) =>
    named(figures)
      .filter(({ figure }) => figure.target)
      .map(({ name, figure }) => `| ${suite} | ${name} | ${measuredOf(figure)} | ${promiseOf(figure)} | ${verdictOf(figure)} |`),
  );
  const judged = results.flatMap(({ figures }) => figures.filter(({ target }) => target));
  const met = judged.filter(isMet).length;
  return [
    '## Targets',
    '',
    `${met} of ${judged.length} targets are met.`,
    '',
    '| suite | figure | measured | target | |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}

function renderSuite(result: SavedResult): string[] {
  const { suite, measuredAt, commit, isQuick, othersShare, machine, figures, plots = [] } = result;
  const { title, text } = TEXTS[suite] ?? { title: suite, text: '' };
  const { cores, cpu, memory_gib: memory, node, postgresql } = machine;
  return [
    `## ${title}`,
    '',
    `Suite \`${suite}\`, ${measuredAt.slice(0, 10)}, commit ${commit}: ${cores} cores (${cpu.trim()}), ${memory} GiB, Node ${node}, PostgreSQL ${postgresql}.`,
    ...(othersShare > 0.1 ? [`Others used ${Math.round(othersShare * 100)} % of the machine just before: figures suffer from it.`] : []),
    ...(isQuick ? ['**Measured in a hurry, with few orders: a first impression.**'] : []),
    '',
    ...(text ? [text, ''] : []),
    '| figure | measured | target | |',
    '| --- | --- | --- | --- |',
    ...figures.map((figure) => `| ${figure.name} | ${measuredOf(figure)} | ${promiseOf(figure)} | ${verdictOf(figure)} |`),
    '',
    ...plots.flatMap((plot, index) => [`![${plot.title}](performance/${plotName(result, index)})`, '']),
  ];
}

/** A name that begins with `…` goes on from the last that does not. */
function named(figures: readonly Figure[]): { name: string; figure: Figure }[] {
  let subject = '';
  return figures.map((figure) => {
    if (!figure.name.startsWith('…')) subject = figure.name;
    return { name: figure.name.replace(/^…\s*/, `${subject.replace(/,? p50$/, '')}, `), figure };
  });
}

function measuredOf({ value, unit, refused }: Figure): string {
  return refused === undefined ? `${formatValue(value)} ${unit}` : `refused: ${refused.replaceAll('|', '/')}`;
}

function verdictOf(figure: Figure): string {
  return { true: 'met', false: '**missed**', undefined: '' }[String(isMet(figure)) as 'true' | 'false' | 'undefined'];
}

function plotName({ suite }: SavedResult, index: number): string {
  return `${suite}-${index + 1}.svg`;
}

if (import.meta.main) await writeReport();
