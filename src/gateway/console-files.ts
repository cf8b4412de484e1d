import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** The console as it was built, in memory: nothing but what was listed at the start can be asked for. */
export interface ConsoleFiles {
  /** With the placeholders for what each request fills in. */
  page: string;
  /** By their names under `/assets/`. */
  assets: ReadonlyMap<string, StaticFile>;
  icon: StaticFile | undefined;
}

export interface StaticFile {
  type: string;
  plain: Buffer;
  /** Where that is smaller. */
  br?: Buffer | undefined;
  gzip?: Buffer | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
};
const COMPRESSIBLE = new Set(['.js', '.css', '.svg', '.json', '.txt', '.wasm']);
/** Below it fits into the packet that is sent anyway. */
const WORTH_COMPRESSING_BYTES = 1_024;
/** Where the build left it to us, at every start: good enough, and quick. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const compressBr = promisify(brotliCompress);
const compressGzip = promisify(gzip);

export async function readConsole(folder: string): Promise<ConsoleFiles> {
  const all = new Map<string, Buffer>();
  for (const entry of await readdir(join(folder, 'assets'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // Maps are for whoever debugs the build, and larger than everything else.
    if (entry.isFile() && extname(path) !== '.map') all.set(nameOf(path, folder), await readFile(path));
  }
  const names = [...all.keys()].filter((name) => !isVariant(name, all));
  const assets = await Promise.all(names.map(async (name) => [name, await fileOf(name, all)] as const));
  const icon = await readFile(join(folder, 'favicon.svg')).catch(() => undefined);
  return {
    page: await readFile(join(folder, 'index.html'), 'utf8'),
    assets: new Map(assets),
    icon: icon && (await fileOf('favicon.svg', new Map([['favicon.svg', icon]]))),
  };
}

/** As a browser asks for it, whatever separates folders here. */
function nameOf(path: string, folder: string): string {
  return path.slice(join(folder, 'assets').length + 1).replaceAll('\\', '/');
}

function isVariant(name: string, all: ReadonlyMap<string, Buffer>): boolean {
  return /\.(br|gz)$/.test(name) && all.has(name.replace(/\.\w+$/, ''));
}

async function fileOf(name: string, all: ReadonlyMap<string, Buffer>): Promise<StaticFile> {
  const plain = all.get(name) as Buffer;
  const extension = extname(name);
  const type = TYPES[extension] ?? 'application/octet-stream';
  const smaller = (variant: Buffer | undefined): Buffer | undefined => (variant && variant.length < plain.length ? variant : undefined);
  const [br, gz] = [all.get(`${name}.br`), all.get(`${name}.gz`)];
  if (br ?? gz) return { type, plain, br: smaller(br), gzip: smaller(gz) };
  if (!COMPRESSIBLE.has(extension) || plain.length < WORTH_COMPRESSING_BYTES) return { type, plain };
  return { type, plain, br: smaller(await compressBr(plain, BROTLI)), gzip: smaller(await compressGzip(plain)) };
}
