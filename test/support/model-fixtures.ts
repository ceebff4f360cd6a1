/** Models of random weights and one tokenizer, as users have them: directories of Hugging Face files. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const fixtures = join(import.meta.dirname.replace(/\/dist\/test\/support$/, '/test/support'), '../fixtures/models');
const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];

/** Of 32 dimensions, and of 64. */
export type ModelName = 'qwen3-qknorm' | 'qwen2-gqa-tied';

/** A copy of the model in a new directory under this one; its path. */
export async function copyModel(name: ModelName, under: string): Promise<string> {
  const directory = join(under, name);
  await mkdir(directory);
  for (const file of files) await copyFile(join(fixtures, name, file), join(directory, file));
  return directory;
}

/** Short conversations as JSONL. */
export const conversationLines = (rows: number): string =>
  Array.from({ length: rows }, (_, row) => {
    const messages = [
      { role: 'user', content: `What is ${row} and ${row + 1}?` },
      { role: 'assistant', content: `It is ${2 * row + 1}. ${'Sure. '.repeat(row % 4)}` },
    ];
    return `${JSON.stringify({ id: `row-${row}`, messages })}\n`;
  }).join('');
