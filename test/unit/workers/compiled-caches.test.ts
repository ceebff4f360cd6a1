import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markEntryUsed, removeUnusedEntries } from '../../../workers/compiled-caches.js';
import { temporaryDirectory } from '../../support/temporary.js';

const longAgo = new Date(Date.now() - 15 * 24 * 3600 * 1000);
const lately = new Date(Date.now() - 13 * 24 * 3600 * 1000);

describe('what compilers leave', () => {
  it('goes two weeks after it was used last: programs, and what XLA keeps of them', async () => {
    const directory = temporaryDirectory();
    const times = {
      old: [longAgo, longAgo],
      marked: [longAgo, longAgo],
      read: [lately, longAgo],
      new: [lately, lately],
    };
    for (const name of Object.keys(times)) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'saved_model.pb'), '');
      writeFileSync(join(directory, `${name}.compiled`), '');
    }
    for (const [name, [read, written]] of Object.entries(times))
      for (const entry of [name, `${name}.compiled`])
        utimesSync(join(directory, entry), read ?? longAgo, written ?? longAgo);
    await markEntryUsed(join(directory, 'marked'));
    await removeUnusedEntries(directory);
    expect(readdirSync(directory)).toEqual(['marked', 'new', 'new.compiled', 'read', 'read.compiled']);
  });

  it('is looked for in vain where nothing was compiled yet', async () => {
    await expect(removeUnusedEntries(join(temporaryDirectory(), 'none'))).resolves.toBeUndefined();
  });
});
