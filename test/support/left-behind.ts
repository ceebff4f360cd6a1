/**
 * Nobody is left behind: child processes that are handed in here end with the test file that started them, also when a test
 * fails, and also those that are stopped. Under Jest that takes a hook, since the `process` that tests see is a copy which
 * never hears of its own end; a benchmark has the real one.
 */
import type { ChildProcess } from 'node:child_process';

const alive = new Set<ChildProcess>();

function endAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

if (typeof afterAll === 'function') afterAll(endAll);
else process.once('exit', endAll);

export function endWithUs(child: ChildProcess): void {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
}
