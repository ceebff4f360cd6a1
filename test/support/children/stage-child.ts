/** A stage's child process that behaves, or misbehaves, as its job says: a behaviour, one with threads to compute with, or one among the options of a stage. */
import { pbkdf2Sync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { NightstillError } from '../../../config/errors.js';
import { childLinkDescriptor } from '../../../config/child-protocol.js';
import { isJsonObject, type Json } from '../../../storage/index.js';
import { runChild, type ChildContext } from '../../../workers/child-link.js';
import { holdCoresOfHost } from '../../../workers/core-lease.js';

const forever = 1_000_000_000;

const behaviours: Readonly<Record<string, (context: ChildContext) => Promise<Json>>> = {
  asks: async ({ ask }) => [await ask('first'), await ask('second')],
  'dies while it asks': ({ ask }) => {
    void ask('first');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);
    return delay(forever, null);
  },
  'prints much': () => {
    for (let line = 0; line < 1000; line += 1) console.log(`{"type":"result","value":"printed ${line}"}`);
    console.error('not the result');
    return Promise.resolve('the result');
  },
  'reports progress': async ({ progress }) => {
    progress({ phase: 'work', durable: { step: 1, fence: 7 } });
    progress({ phase: 'work', durable: { step: 1, fence: 7 }, facts: { dropped: true } });
    progress({ phase: 'work', durable: { step: 2, fence: 7 } });
    await delay(300);
    progress({ phase: 'work', durable: { step: 2, fence: 7 }, facts: { sent: true } });
    return null;
  },
  'is quick': ({ progress }) => {
    for (let done = 0; done <= 80; done += 1) progress({ phase: 'work', facts: { done, of: 80 } });
    return Promise.resolve(null);
  },
  'is killed': () => {
    console.error('the last words');
    process.kill(process.pid, 'SIGKILL');
    return delay(forever, null);
  },
  'fills its memory': () => {
    const kept: number[][] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + 0.5));
  },
  exits: () => {
    console.error('the last words');
    process.exit(3);
  },
  'hangs at its end': () => {
    process.on('exit', () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    return Promise.resolve('the result');
  },
  'falls silent': ({ progress }) => {
    progress({ phase: 'work' });
    return delay(forever, null);
  },
  'says the same for ever': async ({ progress }) => {
    for (;;) {
      progress({ phase: 'work', facts: { done: 1 } });
      await delay(20);
    }
  },
  'talks nonsense': () => {
    writeSync(childLinkDescriptor, 'nonsense\n');
    return delay(forever, null);
  },
  'speaks another protocol': () => {
    writeSync(childLinkDescriptor, '{"type":"hello","version":0}\n');
    return delay(forever, null);
  },
  'fails with a code': () => Promise.reject(new NightstillError('dataset-empty', 'nothing', { details: { line: 3 } })),
  'fails without a code': () => Promise.reject(new TypeError('a defect')),
  'stops when asked': async ({ stop, progress }) => {
    progress({ phase: 'work' });
    await delay(forever, null, { signal: stop }).catch(() => undefined);
    progress({ phase: 'stopping', durable: { step: 5, fence: 1 } });
    throw stop.reason;
  },
  'finishes when asked to stop': async ({ stop, progress }) => {
    progress({ phase: 'work' });
    await delay(forever, null, { signal: stop }).catch(() => undefined);
    return 'finished';
  },
  'saves for a while when asked': async ({ stop, progress }) => {
    progress({ phase: 'work' });
    await delay(forever, null, { signal: stop }).catch(() => undefined);
    for (let part = 1; part <= 10; part += 1) {
      await delay(150);
      progress({ phase: 'work', facts: { part } });
    }
    progress({ phase: 'work', durable: { step: 5, fence: 1 } });
    throw stop.reason;
  },
  'works on when asked to stop': async ({ progress }) => {
    for (let done = 1; ; done += 1) {
      progress({ phase: 'work', facts: { done } });
      await delay(20);
    }
  },
  'computes in native code': ({ progress }) => {
    progress({ phase: 'work' });
    return delay(100).then(() => pbkdf2Sync('a', 'b', 1_000_000_000, 64, 'sha512').toString('hex'));
  },
  'does not yield': ({ progress }) => {
    progress({ phase: 'work' });
    return delay(100).then(() => {
      for (;;);
    });
  },
};

void runChild(async (context) => {
  const { job } = context;
  const { with: options = null } = isJsonObject(job) ? job : {};
  const name = isJsonObject(job) ? (job['behaviour'] ?? (isJsonObject(options) && options['behaviour'])) : job;
  const behaviour = typeof name === 'string' ? behaviours[name] : undefined;
  if (!behaviour) throw new Error('expected a behaviour');
  const threads = isJsonObject(job) ? job['threads'] : undefined;
  if (typeof threads === 'number') await holdCoresOfHost(threads, { work: 'a stage', fence: 1 }, context);
  return behaviour(context);
});
