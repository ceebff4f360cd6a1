/** Datasets for tests: rows that depend on the seed alone, in files or in a store. */
import { openObjectStore } from '../../storage/index.js';

/** JSONL of at least `bytes` bytes; every row is another. */
export function jsonLines(bytes: number, seed = 1): string {
  const rows: string[] = [];
  for (let row = 0, length = 0; length < bytes; row += 1) {
    const text = JSON.stringify({
      prompt: `What is ${seed}/${row}? ${'word '.repeat(row % 50)}`,
      response: `It is ${row * seed}.`,
      topic: row % 7,
    });
    rows.push(text);
    length += text.length + 1;
  }
  return `${rows.join('\n')}\n`;
}

export async function putObject(storeUrl: string, key: string, text: string): Promise<void> {
  const store = await openObjectStore(storeUrl);
  try {
    await store.put(key, Buffer.from(text));
  } finally {
    await store.close();
  }
}
