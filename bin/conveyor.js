#!/usr/bin/env node
// The command `conveyor`. Plain JavaScript for any Node: the sources need Node 24, which an older one finds in
// node_modules and hands over to.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
/** Names the pipe to the process that handed over. */
const PIPE = 'CONVEYOR_PARENT_PIPE';
const root = new URL('../', import.meta.url);

// Not the folder alone: a set-up that was interrupted leaves one.
if (!existsSync(new URL('node_modules/commander/package.json', root))) {
  console.error('conveyor: its packages are not installed; run `npm install` in the folder of the checkout first');
  process.exit(1);
} else if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  endWithWhoHandedOver();
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
} else {
  const node = fileURLToPath(new URL(`node_modules/node-${process.platform}-${process.arch}/bin/node`, root));
  if (existsSync(node)) handOver(node);
  else {
    console.error(
      `conveyor: Node ${NEEDED} or newer is needed, this is ${process.version}, and node_modules has none for ${process.platform}-${process.arch}; install Node ${NEEDED}`,
    );
    process.exit(1);
  }
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [PIPE]: '3' },
  });
  // The terminal sends Ctrl-C to both; then this process only has to wait for the other. What is sent to this one alone goes on.
  process.on('SIGINT', () => {
    if (!isInForeground()) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`conveyor: ${node} cannot be run: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Who kills the process that was started means this one: the pipe between them closes, however that one ends. */
function endWithWhoHandedOver() {
  const pipe = process.env[PIPE];
  delete process.env[PIPE];
  if (pipe === undefined) return;
  const toParent = new Socket({ fd: Number(pipe), readable: true, writable: false });
  toParent.once('close', () => process.kill(process.pid, 'SIGKILL')).on('error', () => {});
  toParent.resume().unref();
}

/** Whether Ctrl-C in a terminal reaches this process and its child: only the terminal's foreground group gets it. */
function isInForeground() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foregroundGroup;
  } catch {
    return true;
  }
}
