import type { ClusterReport } from '#engine/store.ts';
import { paint, type Style } from '../print.ts';

/** What the screen shows of the orders. */
export interface OrderCounts {
  submitted: number;
  queued: number;
  running: number;
  completed: number;
  failed: number;
}

const BAR_SLOTS = 50;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/**
 * Tells the story line by line; on a terminal with a panel of the cluster under it that moves along, elsewhere with a line
 * of figures now and then.
 */
export class Screen {
  private readonly output: NodeJS.WriteStream;
  private readonly isLive: boolean;
  private panelLines = 0;
  private panel: string[] = [];
  private lastFigures = '';

  constructor(output: NodeJS.WriteStream = process.stdout) {
    this.output = output;
    this.isLive = output.isTTY === true;
    if (this.isLive) output.write(HIDE_CURSOR);
  }

  /** A line of the story. */
  tell(text: string, style?: Style): void {
    this.erase();
    this.output.write(`${paint(style, text)}\n`);
    this.draw();
  }

  show(cluster: ClusterReport, counts: OrderCounts, paused: ReadonlySet<string>): void {
    const figures = renderCounts(counts);
    if (this.isLive) {
      this.erase();
      this.panel = ['', ...renderNodes(cluster, paused), '', `  ${figures}`, ''];
      this.draw();
    } else if (figures !== this.lastFigures) {
      this.output.write(`  ${figures}\n`);
    }
    this.lastFigures = figures;
  }

  close(): void {
    this.erase();
    this.panel = [];
    if (this.isLive) this.output.write(SHOW_CURSOR);
  }

  private erase(): void {
    if (this.panelLines > 0) this.output.write(`\u001b[${this.panelLines}A\u001b[J`);
    this.panelLines = 0;
  }

  private draw(): void {
    if (!this.isLive || this.panel.length === 0) return;
    this.output.write(`${this.panel.join('\n')}\n`);
    this.panelLines = this.panel.length;
  }
}

function renderCounts({ submitted, queued, running, completed, failed }: OrderCounts): string {
  return `orders  submitted ${submitted}  waiting ${queued}  running ${running}  completed ${completed}  failed and rolled back ${failed}`;
}

/** Each node with its slots as a bar; who leads, who has gone. */
function renderNodes({ sessions, leader }: ClusterReport, paused: ReadonlySet<string>): string[] {
  return sessions.map((session) => {
    const isGone = session.state === 'dead';
    const isPaused = paused.has(session.nodeName);
    const bar = `${'█'.repeat(Math.min(session.busy, BAR_SLOTS))}${'·'.repeat(Math.max(0, BAR_SLOTS - session.busy))}`;
    const role = isGone
      ? `gone (${session.endedReason?.replaceAll('_', ' ')})`
      : isPaused
        ? 'paused'
        : leader?.session === session.session
          ? 'leads'
          : '';
    const style: Style = isGone ? 'red' : isPaused ? 'yellow' : 'green';
    return `  ${session.nodeName.padEnd(8)} ${paint(style, bar)} ${String(session.busy).padStart(2)} busy  session ${session.session}  ${role}`;
  });
}
