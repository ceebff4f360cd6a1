/**
 * What is written is loaded by transformers. The Python that has it is named by NIGHTSTILL_PYTHON, or is python3 on PATH; where
 * neither has it, the reason is printed and the rest is skipped.
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseGenerationConfig } from '../../../engine/files/generation-config.js';
import { openModelDirectory, writeModelDirectory } from '../../../engine/files/model-directory.js';
import { openTokenizer } from '../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../support/npy.js';
import { temporaryDirectory } from '../../support/temporary.js';

const python = process.env['NIGHTSTILL_PYTHON'] ?? 'python3';
const there = spawnSync(python, ['-c', 'import torch, transformers'], { encoding: 'utf8' });
if (there.status !== 0)
  process.stderr.write(`skipped: that transformers loads what is written; ${python}: ${there.stderr ?? 'not found'}\n`);

const text = "I'm 3 猫s <|im_end|> here";

(there.status === 0 ? describe : describe.skip)('transformers', () => {
  it.each([
    ['qwen2-gqa-tied', 'float32', 1e-5],
    ['llama3-ropescaled', 'float32', 1e-5],
    ['qwen3-qknorm', 'float32', 1e-5],
    ['qwen3-qknorm', 'bfloat16', 0.02],
  ] as const)('loads %s written as %s, with its shards, tokenizer and logits', async (name, format, tolerance) => {
    const from = join(modelFixtures, name);
    const source = await openModelDirectory(from);
    const path = join(temporaryDirectory(), name);
    await writeModelDirectory(path, {
      config: source.config,
      values: source.tensors.readFloat32,
      format,
      tokenizerFrom: from,
      generationConfig: parseGenerationConfig({ eos_token_id: [7, 1023] }, 'test'),
      maximumShardBytes: 100_000,
    });
    await source.close();
    const words = [
      join(import.meta.dirname, 'load_model.py'),
      path,
      join(from, 'input_ids.npy'),
      join(from, 'logits.npy'),
      text,
    ];
    const { stdout } = await promisify(execFile)(python, words);
    const found: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(found).toMatchObject({ missing: [], unexpected: [], endOfSequence: [7, 1023] });
    expect(found).toHaveProperty('ids', [...(await openTokenizer(from)).encode(text)]);
    expect((found as { largestDifference: number }).largestDifference).toBeLessThan(tolerance);
  });
});
