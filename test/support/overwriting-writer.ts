/**
 * A process that overwrites one object until it is killed: `overwriting-writer.js <url> <key>`. Version n is 300,000 bytes
 * of value n modulo 256; n is printed when the store has acknowledged it.
 */
import { openObjectStore } from '../../storage/open-store.js';

const [url = '', key = ''] = process.argv.slice(2);
const store = await openObjectStore(url);
for (let number = 1; ; number++) {
  await store.put(key, Buffer.alloc(300_000, number % 256));
  process.stdout.write(`${number}\n`);
}
