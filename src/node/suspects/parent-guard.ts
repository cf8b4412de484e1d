import { parentPort, workerData } from 'node:worker_threads';

/**
 * A thread beside a suspect's handler: ends the process when the node that started it is gone. The handler may block the
 * main thread, which would then never hear of it.
 */
const { parentPid } = workerData as { parentPid: number };
const CHECK_EVERY_MS = 500;
const never = new Int32Array(new SharedArrayBuffer(4));
parentPort?.unref();
while (process.ppid === parentPid) Atomics.wait(never, 0, 0, CHECK_EVERY_MS);
process.kill(process.pid, 'SIGKILL');
