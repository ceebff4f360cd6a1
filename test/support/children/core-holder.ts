/**
 * A process that wants cores of a host of this name and size, for a claim, and holds them for a time:
 * `name cores threads [milliseconds [log [work fence]]]`.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { holdCores } from '../../../workers/core-lease.js';

const [, , name = '', cores = '', threads = '', milliseconds = '3600000', log = '/dev/null', work = '', fence = '1'] =
  process.argv;

console.log('started');
await holdCores({
  name,
  cores: Number(cores),
  threads: Number(threads),
  claim: { work: work || String(process.pid), fence: Number(fence) },
  onWait: (held) => console.log(`waits with ${held}`),
  signal: new AbortController().signal,
});
appendFileSync(log, 'begin\n');
console.log('holds');
await delay(Number(milliseconds));
appendFileSync(log, 'end\n');
