/** Sequences generated and scored in rounds, some refused, some left on the way; prints what the process held meanwhile. */
import { createGenerator } from '../../../../engine/generation/generator.js';
import { NativeLibrary } from '../../../../engine/runners/native.js';
import { createScorer } from '../../../../engine/scoring/scorer.js';
import { tf } from '../../../../engine/tf.js';
import { initialWeight } from '../../../../engine/models/initialise.js';
import { tinyConfig } from '../../../support/tiny-run.js';
import { runnerOf } from './small-training.js';

const [packageDirectory = '', cacheDirectory = '', kind = ''] = process.argv.slice(2);
const library = kind === 'wasm' ? undefined : new NativeLibrary(packageDirectory);
const weights = (name: string) => initialWeight(tinyConfig, name, { seed: 3, standardDeviation: 0.1 });
const model = { runner: runnerOf(kind, packageDirectory, cacheDirectory), config: tinyConfig, weights };
const generator = await createGenerator({ ...model, slots: 2, capacity: 24, promptLengths: [8], endOfSequence: [] });
const scorer = await createScorer({ ...model, rowLengths: [16, 64], batchTokens: 256, topK: 32, temperatures: [1, 2] });

const rounds = 40;
const counted = { tokens: 0, scored: 0, refused: 0 };
const prompt = Int32Array.of(1, 2, 3);

/** Twelve tokens in all are wanted, greedy, drawn and with all that is known of them; one more of a sequence that is left. */
async function round(number: number): Promise<void> {
  const requests = [
    { prompt, maximumNewTokens: 4 },
    { prompt, maximumNewTokens: 4, sampling: { seed: number, temperature: 2 } },
    { prompt, maximumNewTokens: 4, logProbabilities: true, mostProbable: 3 },
  ];
  const collect = async (request: (typeof requests)[number]): Promise<void> => {
    for await (const { kind: what } of generator.generate(request)) if (what === 'token') counted.tokens += 1;
  };
  await Promise.all(requests.map(collect));
  for await (const { kind: what } of generator.generate({ prompt, maximumNewTokens: 12 })) {
    if (what === 'token') counted.tokens += 1;
    break;
  }
  const sequences = [7, 16, 60].map((length) => Int32Array.from({ length }, (_, token) => (token + number) % 32));
  for await (const { topIds } of scorer.score(sequences)) if (topIds.length > 0) counted.scored += 1;
  try {
    generator.generate({ prompt: Int32Array.of(99), maximumNewTokens: 1 });
  } catch {
    counted.refused += 1;
  }
  try {
    await scorer.score([new Int32Array(65)]).next();
  } catch {
    counted.refused += 1;
  }
}

const held = () => {
  globalThis.gc?.();
  const { numTensors, numDataBuffers } = tf.memory();
  return { tensors: numTensors, buffers: numDataBuffers, handles: library?.handles ?? 0 };
};

for (let number = 0; number < 5; number++) await round(number);
const before = held();
for (let number = 5; number < rounds; number++) await round(number);
const after = held();
generator.dispose();
scorer.dispose();
console.log(JSON.stringify({ before, after, end: held(), rounds, ...counted }));
