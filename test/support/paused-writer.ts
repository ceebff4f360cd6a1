/**
 * A process that replaces one version of an object in a directory and waits for a line on its standard input between the
 * decision and link(2): `paused-writer.js <directory> <key> <version>`. Prints `paused`, then how the write ended.
 */
import { once } from 'node:events';
import { hasCode } from '../../config/errors.js';
import { FileStore } from '../../storage/file-store.js';

const [directory = '', key = '', version = ''] = process.argv.slice(2);
const store = new FileStore(directory, {
  async beforeLink() {
    process.stdout.write('paused\n');
    await once(process.stdin, 'data');
  },
});
try {
  await store.putIfMatch(key, Buffer.from('stale'), version);
  process.stdout.write('written\n');
} catch (error) {
  process.stdout.write(`${hasCode(error) ? error.code : String(error)}\n`);
}
process.stdin.destroy();
