/**
 * A program of its own for tests of the cache: provides one entry whose building takes until a file appears. It prints
 * `building`, `waiting` and `done`, and adds a line to `works` for each building it does.
 * Usage: cache-builder.js <cache directory> <scratch directory>
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { provideEntry } from '../../tools/cache.js';
import { cacheBuilderKey } from './cache-builder-key.js';

const [cacheDirectory = '', scratch = ''] = process.argv.slice(2);
const say = (word: string) => process.stdout.write(`${word}\n`);

await provideEntry(
  cacheDirectory,
  cacheBuilderKey,
  async (staging) => {
    appendFileSync(join(scratch, 'works'), `${process.pid}\n`);
    writeFileSync(join(staging, 'first'), 'half of it');
    say('building');
    while (!existsSync(join(scratch, 'go'))) await sleep(20);
    writeFileSync(join(staging, 'second'), 'the other half');
    return { from: 'test', files: ['first', 'second'] };
  },
  { onWait: () => say('waiting') },
);
say('done');
