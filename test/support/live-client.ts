import { waitUntil } from './waiting.ts';

export interface LiveMessage {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

/** Everything that a text of server-sent events holds, blocks without data too. */
export function parseMessages(text: string): { id?: string; event?: string; data?: Record<string, unknown> }[] {
  return text
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const [id, event, data] = [field('id'), field('event'), field('data')];
      return {
        ...(id === undefined ? {} : { id }),
        ...(event === undefined ? {} : { event }),
        ...(data === undefined ? {} : { data: JSON.parse(data) as Record<string, unknown> }),
      };
    });
}

/** One who follows `GET /events`. What it has read so far is in `messages`. */
export class LiveClient {
  readonly status: number;
  readonly headers: Headers;
  readonly messages: LiveMessage[] = [];
  /** Of the last block that had one, as a browser keeps it. */
  lastId = '';
  isEnded = false;
  private readonly aborter: AbortController;

  private constructor(answer: Response, aborter: AbortController) {
    this.status = answer.status;
    this.headers = answer.headers;
    this.aborter = aborter;
    void this.read(answer);
  }

  /** Resolves when it knows where the stream begins: from then on nothing is missed. */
  static async open(url: string, path = '/events', headers: Record<string, string> = {}): Promise<LiveClient> {
    const aborter = new AbortController();
    const answer = await fetch(`${url}${path}`, { headers: { authorization: 'operator', ...headers }, signal: aborter.signal });
    const client = new LiveClient(answer, aborter);
    await waitUntil('where the stream begins', () => client.lastId !== '');
    return client;
  }

  /** The kinds of an order's events, as they came. */
  kindsOf(orderId: string): unknown[] {
    return this.messages.filter(({ data }) => data['order_id'] === orderId).map(({ data }) => data['kind']);
  }

  async until(what: string, condition: (messages: LiveMessage[]) => boolean): Promise<void> {
    await waitUntil(what, () => condition(this.messages), 20_000);
  }

  close(): void {
    this.aborter.abort();
  }

  private async read(answer: Response): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of answer.body ?? []) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        const end = rest.lastIndexOf('\n\n');
        if (end < 0) continue;
        for (const { id, event, data } of parseMessages(rest.slice(0, end))) {
          this.lastId = id ?? this.lastId;
          if (data) this.messages.push({ id: this.lastId, event: event ?? 'message', data });
        }
        rest = rest.slice(end + 2);
      }
    } catch (error) {
      if (!this.aborter.signal.aborted) throw error;
    } finally {
      this.isEnded = true;
    }
  }
}
