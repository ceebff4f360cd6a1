/**
 * Writes the shop's database and the questions about it into a folder; prints the digest of each file.
 *
 *   npm run build
 *   node dist/examples/sql/make-data.js /tmp/shop
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeHeldOut } from './held-out.js';
import type { Item } from './items.js';
import { makePrompts } from './prompts.js';
import { makeShop } from './shop-database.js';
import { makeTrainingSet } from './training-set.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    training: { type: 'string', default: '20000' },
    prompts: { type: 'string', default: '1000' },
    test: { type: 'string', default: '600' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('expected a folder to write to: make-data.js <folder>');
await mkdir(folder, { recursive: true });

/** A file that is there already is left alone: evaluations know a database by its time too, and would measure anew. */
async function write(name: string, bytes: Uint8Array | string, what: string): Promise<void> {
  const path = join(folder ?? '', name);
  const there = await readFile(path).catch(() => undefined);
  if (!there?.equals(Buffer.from(bytes))) await writeFile(path, bytes);
  console.log(`${name.padEnd(20)} sha256:${createHash('sha256').update(bytes).digest('hex')}  ${what}`);
}
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const user = ({ question }: Item): object => ({ role: 'user', content: question });
const skeletons = (items: readonly Item[]): string =>
  `${items.length} questions, ${new Set(items.map(({ skeleton }) => skeleton)).size} SQL skeletons`;

const shop = await makeShop();
const training = makeTrainingSet(shop, Number(values.training));
const prompts = makePrompts(shop, Number(values.prompts));
const heldOut = makeHeldOut(shop, Number(values.test));
await write('shop.sqlite', shop.export(), '12 tables');
await write(
  'teacher-train.jsonl',
  lines(training.map((item) => ({ messages: [user(item), { role: 'assistant', content: item.sql }] }))),
  skeletons(training),
);
await write(
  'prompts.jsonl',
  lines(prompts.map((item, index) => ({ id: `prompt-${index}`, messages: [user(item)] }))),
  skeletons(prompts),
);
await write(
  'test.jsonl',
  lines(
    heldOut.map(({ question, sql, skeleton, language }, index) => ({
      id: `test-${index}`,
      prompt: question,
      reference: sql,
      skeleton: createHash('sha256').update(skeleton).digest('hex').slice(0, 12),
      language,
    })),
  ),
  skeletons(heldOut),
);
shop.close();
