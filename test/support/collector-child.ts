/**
 * A program that collects again and again until its standard input ends, and prints the keys that each round removed. Its
 * parameters are a store URL and a grace in milliseconds.
 */
import { collect, openObjectStore } from '../../storage/index.js';

const [url = '', graceMs = ''] = process.argv.slice(2);
const store = await openObjectStore(url, { forWriting: true });
let isOver = false;
process.stdin.on('end', () => (isOver = true)).resume();
while (!isOver) {
  const { removedKeys } = await collect(store, { dryRun: false, graceMs: Number(graceMs), closedRuns: 0 });
  process.stdout.write(`${JSON.stringify(removedKeys)}\n`);
}
await store.close();
