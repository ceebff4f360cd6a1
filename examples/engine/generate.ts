/**
 * Writes on from a beginning, with any model directory of the Qwen and Llama families.
 *
 *   node dist/examples/engine/generate.js <model directory> <beginning> [tokens]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGenerator, openModelDirectory, openTokenizer } from '../../engine/index.js';
import { chooseRunner } from './choose-runner.js';

const [directory = '', beginning = '', tokens = '60'] = process.argv.slice(2);
const model = await openModelDirectory(directory);
const tokenizer = await openTokenizer(directory);
const generator = await createGenerator({
  runner: await chooseRunner(join(tmpdir(), 'nightstill-example'), 2),
  config: model.config,
  weights: model.tensors.readFloat32,
  tokenizer,
  slots: 1,
  capacity: 256,
  promptLengths: [64],
});
await model.close();

process.stdout.write(beginning);
const maximumNewTokens = Number(tokens);
const sampling = { seed: 1, temperature: 0.7, topK: 40 };
for await (const { text } of generator.generate({ prompt: tokenizer.encode(beginning), maximumNewTokens, sampling }))
  process.stdout.write(text);
process.stdout.write('\n');
generator.dispose();
