/**
 * A thread of a child process that ends the whole process when its parent is gone. The main thread would notice by itself, but
 * only when its event loop turns, and a step of native code, or a loop, may keep it from turning for long. It is started with
 * the process id of the parent.
 */
import { workerData } from 'node:worker_threads';

const lookEveryMs = 1000;
const { parent } = workerData as { readonly parent: number };

setInterval(() => {
  // Orphans are given to another process: no new process can be taken for the parent.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, lookEveryMs);
