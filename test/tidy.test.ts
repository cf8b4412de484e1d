import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.js'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !file.startsWith('node_modules/'));
const sources = files.filter((file) => file.startsWith('src/') && !file.endsWith('.test.ts'));
const consoleFiles = files.filter((file) => file.startsWith('console/src/') && !/\.(test\.tsx?|d\.ts)$/.test(file));
const textOf = (file: string): string => readFileSync(file, 'utf8');

/** Which rooms of the house a room may import: dependencies point one way. */
const ALLOWED: Record<string, readonly string[]> = {
  domain: ['domain'],
  engine: ['domain', 'engine'],
  workflows: ['domain', 'engine', 'workflows'],
  store: ['domain', 'engine', 'store'],
  node: ['domain', 'engine', 'node'],
  gateway: ['domain', 'engine', 'gateway'],
  messages: ['domain', 'engine', 'messages'],
  webhooks: ['domain', 'engine', 'webhooks'],
  embedded: ['domain', 'engine', 'embedded'],
  telemetry: ['domain', 'engine', 'telemetry'],
  config: ['domain', 'engine', 'config'],
  cli: ['domain', 'engine', 'workflows', 'store', 'node', 'gateway', 'messages', 'webhooks', 'embedded', 'telemetry', 'config', 'cli'],
};

/** Time, chance and output have one place each. */
const BANNED: { call: RegExp; allowedIn: RegExp; instead: string }[] = [
  { call: /\bDate\.now\(|\bnew Date\(\)/, allowedIn: /^src\/engine\/clock\.ts$/, instead: 'Clock.now' },
  { call: /\bperformance\.now\(/, allowedIn: /^src\/engine\/clock\.ts$/, instead: 'Clock.monotonic' },
  { call: /\bset(Timeout|Interval)\(/, allowedIn: /^src\/engine\/clock\.ts$/, instead: 'Clock.after' },
  { call: /\bMath\.random\(/, allowedIn: /^src\/engine\/clock\.ts$/, instead: 'Clock.random' },
  { call: /\bconsole\.\w+\(/, allowedIn: /^src\/cli\//, instead: 'the Log that was given' },
];

interface Import {
  file: string;
  from: string;
}

function importsOf(file: string): Import[] {
  return [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({ file, from: match[1] as string }));
}

function functionsOf(file: string): { name: string; lines: number }[] {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  const found: { name: string; lines: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const line = (at: number): number => source.getLineAndCharacterOfPosition(at).line;
      found.push({ name: node.name?.getText() ?? '(anonymous)', lines: line(node.end) - line(node.getStart()) + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('the house is tidy', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(30);
  });

  it(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = files.filter((file) => textOf(file).split('\n').length > MAX_FILE_LINES);
    expect(long).toEqual([]);
  });

  it(`no function is longer than ${MAX_FUNCTION_LINES} lines`, () => {
    const long = [...sources, ...consoleFiles].flatMap((file) =>
      functionsOf(file)
        .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
        .map(({ name, lines }) => `${file}: ${name} has ${lines}`),
    );
    expect(long).toEqual([]);
  });

  it('imports point one way', () => {
    const wrong = sources.flatMap(importsOf).filter(({ file, from }) => {
      const room = file.split('/')[1] as string;
      if (from.startsWith('#')) return !ALLOWED[room]?.includes(from.slice(1).split('/')[0] as string);
      return from.startsWith('..') && !new URL(from, `file:///${file}`).pathname.startsWith(`/src/${room}/`);
    });
    expect(wrong).toEqual([]);
  });

  it('the console takes types of the wire and what is pure from the server, nothing else', () => {
    const wrong = consoleFiles
      .flatMap(importsOf)
      .filter(({ from }) => from.startsWith('#') && !/^#(gateway\/api[^/]*\.ts|domain\/[^/]+\.ts)$/.test(from));
    const atRunTime = consoleFiles.filter((file) => /^import (?!type)[^;]*from '#gateway\//m.test(textOf(file)));
    expect([...wrong, ...atRunTime]).toEqual([]);
  });

  it('domain and engine name no dependency', () => {
    const outside = sources
      .filter((file) => /^src\/(domain|engine)\//.test(file))
      .flatMap(importsOf)
      .filter(
        ({ file, from }) => !from.startsWith('.') && !from.startsWith('#') && (file.startsWith('src/domain/') || !from.startsWith('node:')),
      );
    expect(outside).toEqual([]);
  });

  it('time, chance and output are used in their place only', () => {
    const wrong = sources.flatMap((file) =>
      BANNED.filter(({ call, allowedIn }) => !allowedIn.test(file) && call.test(withoutComments(file))).map(
        ({ call, instead }) => `${file}: ${call} (use ${instead})`,
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('every source file is reached from the command line, a test or a script', () => {
    const imported = files.flatMap((file) => importsOf(file).map(({ from }) => resolve(file, from)));
    // A thread or a process is started from a file, not imported.
    const started = files.flatMap((file) =>
      [...textOf(file).matchAll(/new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g)].map(([, from = '']) => resolve(file, from)),
    );
    const reached = new Set([...imported, ...started]);
    const dead = sources.filter((file) => !reached.has(file) && file !== 'src/config/document.ts');
    expect(dead).toEqual([]);
  });
});

function withoutComments(file: string): string {
  return textOf(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function resolve(file: string, from: string): string {
  if (from.startsWith('#test/')) return `test/support/${from.slice('#test/'.length)}`;
  if (from.startsWith('#')) return `src/${from.slice(1)}`;
  return new URL(from, `file:///${file}`).pathname.slice(1);
}
