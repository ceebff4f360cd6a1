/** Compares the tensors of a file with those that a config asks for. Every difference is named; nothing is filled in. */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from './model-config.js';
import { expectedTensors } from './model-tensors.js';
import { isFloatFormat } from './number-formats.js';
import type { TensorSource } from './safetensors.js';

/** Tables that old checkpoints carry; they follow from the config. */
const derived = /^model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/;

const head = 'lm_head.weight';
const embeddings = 'model.embed_tokens.weight';

/** @throws model-weights-mismatch */
export async function checkTensors(config: ModelConfig, tensors: TensorSource, source: string): Promise<void> {
  const expected = expectedTensors(config);
  const tiedHead = config.tiedEmbeddings && tensors.has(head);
  const differences = [...expected].flatMap(([name, shape]) => differenceOf(name, shape, tensors));
  if (tiedHead) differences.push(...differenceOf(head, [config.vocabularySize, config.hiddenSize], tensors));
  for (const name of tensors.names)
    if (!expected.has(name) && !derived.test(name) && !(tiedHead && name === head))
      differences.push(`${JSON.stringify(name)} is unknown`);
  if (differences.length === 0 && tiedHead && !(await equalRows(tensors, config)))
    differences.push(`tie_word_embeddings is true, but ${head} and ${embeddings} differ`);
  if (differences.length === 0) return;
  const shown = differences.slice(0, 8).join('; ');
  const more = differences.length > 8 ? `; and ${differences.length - 8} more` : '';
  throw new NightstillError(
    'model-weights-mismatch',
    `${source}: the tensors are not those of its config.json: ${shown}${more}.`,
  );
}

function differenceOf(name: string, shape: readonly number[], tensors: TensorSource): string[] {
  if (!tensors.has(name)) return [`${JSON.stringify(name)} is missing`];
  const found = tensors.describe(name);
  if (!isFloatFormat(found.dtype)) return [`${JSON.stringify(name)} is ${found.dtype}, not F32, F16 or BF16`];
  if (found.shape.length === shape.length && found.shape.every((size, index) => size === shape[index])) return [];
  return [`${JSON.stringify(name)} is [${found.shape.join(', ')}], not [${shape.join(', ')}]`];
}

const rowsAtATime = 4096;

async function equalRows(tensors: TensorSource, { vocabularySize }: ModelConfig): Promise<boolean> {
  for (let row = 0; row < vocabularySize; row += rowsAtATime) {
    const rows = Math.min(rowsAtATime, vocabularySize - row);
    const [a, b] = await Promise.all([head, embeddings].map((name) => tensors.readRows(name, row, rows)));
    if (a === undefined || b === undefined || Buffer.compare(a, b) !== 0) return false;
  }
  return true;
}
