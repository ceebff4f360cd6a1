/**
 * The recipe of the teacher: a model of 2.7 million weights, trained from scratch on questions about the shop and their SQL.
 * A second call with the same folder goes on where the first one stopped, however it stopped.
 *
 *   npm run setup && npm run build
 *   node dist/examples/sql/train-teacher.js /tmp/teacher            # ends with /tmp/teacher/model
 *
 * This program prepares questions, tokenizer and shards; `teacher-process.ts` trains. Accuracy is measured on validation
 * questions, whose structures are as new as those of the test and none of them.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  processSettings,
  trainBytePairTokenizer,
  writeShards,
  writeTrainedTokenizer,
  type Conversation,
} from '../../engine/index.js';
import type { Item } from './items.js';
import { makeShop } from './shop-database.js';
import { rowTokens, type TeacherJob } from './teacher-job.js';
import { makeTrainingSet, makeValidationSet } from './training-set.js';

async function prepare(folder: string, questions: number): Promise<void> {
  const parts = join(folder, 'data-unfinished');
  await rm(parts, { recursive: true, force: true });
  await mkdir(parts, { recursive: true });
  const shop = await makeShop();
  const training = makeTrainingSet(shop, questions);
  const validation = makeValidationSet(shop, 300);
  await writeFile(join(parts, 'shop.sqlite'), shop.export());
  await writeFile(join(parts, 'validation.json'), JSON.stringify(validation));
  shop.close();
  const tokenizer = join(parts, 'tokenizer');
  const texts = training.map(async function* ({ question, sql }: Item) {
    yield `${question}\n${sql}\n`;
  });
  await writeTrainedTokenizer(tokenizer, () => trainBytePairTokenizer(texts, { vocabularySize: 1536 }));
  const encoder = createConversationEncoder({
    tokenizer: await openTokenizer(tokenizer),
    template: await openChatTemplate(tokenizer),
  });
  const conversations = training.map(({ question, sql }, index): Conversation => ({
    id: String(index),
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: sql },
    ],
  }));
  const written = await writeShards(join(parts, 'shards'), conversations, encoder, { maximumTokens: rowTokens });
  console.log(`${training.length} questions, ${written.tokens} tokens`);
  await rename(parts, join(folder, 'data'));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: 'string', default: '60000' },
    steps: { type: 'string', default: '6000' },
    'save-every': { type: 'string', default: '200' },
    'evaluate-every': { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('expected a folder to train in: train-teacher.js <folder>');
await mkdir(folder, { recursive: true });
if (!existsSync(join(folder, 'data'))) await prepare(folder, Number(values.questions));

const threads = Number(values.threads);
const job: TeacherJob = {
  folder,
  steps: Number(values.steps),
  saveEvery: Number(values['save-every']),
  evaluateEvery: Number(values['evaluate-every']),
  seed: Number(values.seed),
  threads,
};
const child = fork(join(import.meta.dirname, 'teacher-process.js'), [JSON.stringify(job)], {
  env: { ...process.env, ...processSettings({ threads }) },
});
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
