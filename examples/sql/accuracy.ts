/** How many questions a model answers rightly: it writes the SQL, the most probable token each time, and the SQL is run. */
import { createSqlScorer } from '../../evaluation/sql/sql-scorer.js';
import { createGenerator, type GeneratorOptions, type Tokenizer } from '../../engine/index.js';
import type { Item } from './items.js';

export interface AccuracyOptions extends Pick<GeneratorOptions, 'runner' | 'config' | 'weights'> {
  readonly tokenizer: Tokenizer;
  readonly database: Uint8Array;
  readonly items: readonly Item[];
}

export async function measureAccuracy(
  options: AccuracyOptions,
): Promise<{ readonly right: number; readonly of: number }> {
  const { runner, config, weights, tokenizer, database, items } = options;
  const shape = { slots: 16, capacity: 256, promptLengths: [32, 64, 128] };
  const generator = await createGenerator({ runner, config, weights, tokenizer, ...shape });
  const scorer = createSqlScorer({ database });
  const scores = await Promise.all(
    items.map(async ({ question, sql }, index) => {
      const prompt = tokenizer.encode(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`);
      let answer = '';
      for await (const { text } of generator.generate({ prompt, maximumNewTokens: 112 })) answer += text;
      const item = { id: String(index), fields: {} };
      return (await scorer.score({ prompt: question, answer, reference: sql, item })).score;
    }),
  );
  generator.dispose();
  await scorer.close?.();
  return { right: scores.reduce((sum, score) => sum + score, 0), of: items.length };
}
