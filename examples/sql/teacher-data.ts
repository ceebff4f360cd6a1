/**
 * Writes what a teacher is trained on into a folder: the shop, shards of questions with their SQL, a tokenizer trained on the same,
 * and the validation questions. From the same number of questions the same bytes, whose digests `teacher.json` records.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  trainBytePairTokenizer,
  writeShards,
  writeTrainedTokenizer,
  type Conversation,
} from '../../engine/index.js';
import type { Item } from './items.js';
import { makeShop } from './shop-database.js';
import { rowTokens } from './teacher-job.js';
import { makeTrainingSet, makeValidationSet } from './training-set.js';

export interface TeacherData {
  readonly questions: number;
  readonly tokens: number;
}

export async function writeTeacherData(folder: string, questions: number): Promise<TeacherData> {
  await mkdir(folder, { recursive: true });
  const shop = await makeShop();
  const training = makeTrainingSet(shop, questions);
  const validation = makeValidationSet(shop, 300);
  await writeFile(join(folder, 'shop.sqlite'), shop.export());
  await writeFile(join(folder, 'validation.json'), JSON.stringify(validation));
  await writeFile(join(folder, 'training.jsonl'), training.map((item) => `${JSON.stringify(item)}\n`).join(''));
  shop.close();
  const tokenizer = join(folder, 'tokenizer');
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
  const { tokens } = await writeShards(join(folder, 'shards'), conversations, encoder, { maximumTokens: rowTokens });
  return { questions: training.length, tokens };
}
