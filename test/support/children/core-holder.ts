/**
 * A process that wants cores of a host of this name and size, and holds them for a time: `name cores threads [milliseconds [log]]`.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { holdCores } from '../../../workers/core-lease.js';

const [, , name = '', cores = '', threads = '', milliseconds = '3600000', log = '/dev/null'] = process.argv;

console.log('started');
await holdCores({
  name,
  cores: Number(cores),
  threads: Number(threads),
  onWait: (held) => console.log(`waits with ${held}`),
  signal: new AbortController().signal,
});
appendFileSync(log, 'begin\n');
console.log('holds');
await delay(Number(milliseconds));
appendFileSync(log, 'end\n');
