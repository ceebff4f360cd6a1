/**
 * A process that increments a counter in a store by compare-and-swap: `increment-counter.js <url> <key> <times>`.
 * Ends when the store has acknowledged that many increments.
 */
import { hasCode } from '../../config/errors.js';
import { openObjectStore } from '../../storage/open-store.js';

const [url = '', key = '', times = '0'] = process.argv.slice(2);
const store = await openObjectStore(url);
for (let acknowledged = 0; acknowledged < Number(times);) {
  const { body, version } = await store.get(key);
  const value = Number(Buffer.concat(await body.toArray()).toString());
  try {
    await store.putIfMatch(key, Buffer.from(String(value + 1)), version);
    acknowledged++;
  } catch (error) {
    if (!hasCode(error, 'object-changed')) throw error;
  }
}
await store.close();
