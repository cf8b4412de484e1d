import { rm } from 'node:fs/promises';
import { type ConveyorProcess, startConveyor } from './conveyor-process.ts';
import { openFolder } from './folders.ts';
import { isUp, waitUntil } from './waiting.ts';

/** A whole system as `npm start` runs it, and nodes that join it, each a process of its own. */
export class ConsoleCluster {
  readonly url: string;
  private readonly folder: string;
  private readonly started: ConveyorProcess[];

  private constructor(url: string, folder: string, started: ConveyorProcess[]) {
    this.url = url;
    this.folder = folder;
    this.started = started;
  }

  static async start(...args: string[]): Promise<ConsoleCluster> {
    const folder = await openFolder('conveyor-console-');
    const start = startConveyor(['start', '--port', '0', '--ops-port', '0', ...args], { cwd: folder });
    const [, url = ''] = await start.waitFor(/API +(http:\S+)/);
    await waitUntil('the gateway answers', () => isUp(url));
    return new ConsoleCluster(url, folder, [start]);
  }

  /** One more node; resolves when it works. */
  async join(...args: string[]): Promise<{ process: ConveyorProcess; name: string }> {
    const process = startConveyor(['node', '--join', this.url, '--log-format', 'json', ...args], { cwd: this.folder });
    this.started.push(process);
    const [, name = ''] = await process.waitFor(/"node":"([^"]+)"[^\n]*"msg":"node started"/);
    return { process, name };
  }

  async call<Answer>(method: string, path: string, { token = 'operator', body }: { token?: string; body?: unknown } = {}): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text.slice(0, 300)}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async place(body: object = {}, token = 'user'): Promise<string> {
    return (await this.call<{ order_id: string }>('POST', '/orders', { token, body })).order_id;
  }

  /** The start is the last to go: it has the database that the others hand their orders back to. */
  async stop(): Promise<void> {
    for (const process of [...this.started].reverse()) {
      process.kill('SIGTERM');
      await process.ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
