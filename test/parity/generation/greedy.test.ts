import { modelNamesWithBiases } from '../models/model-fixtures.js';
import { relativeDifference } from '../models/differences.js';
import { runners } from '../training/runners.js';
import { collect, generatorOf, loadModel } from './models.js';

/** The tokens that transformers was given; what follows is its greedy continuation. */
const promptLength = 8;

const compiled = runners.filter(([name]) => name === 'tensorflow').map(([, make]) => ['XLA', make, true] as const);
const variants = [...runners.map(([name, make]) => [name, make, false] as const), ...compiled];

describe.each(variants)('on %s', (_, makeRunner, xla) => {
  test.each(modelNamesWithBiases)(
    'greedy tokens are those of transformers, alone and beside others: %s',
    async (name) => {
      const model = await loadModel(name);
      const expected = [...model.fixture.int32('greedy.npy').values];
      const generator = await generatorOf(await makeRunner(), model, { xla });
      const maximumNewTokens = expected.length - promptLength;
      const prompt = Int32Array.from(expected.slice(0, promptLength));
      const alone = await collect(generator.generate({ prompt, maximumNewTokens, logProbabilities: true }));
      expect(alone.ids).toEqual(expected.slice(promptLength));
      expect(alone.reason).toBe('length');
      const beside = await Promise.all(
        [prompt, prompt.slice(1), prompt, prompt.slice(2), prompt].map((text) =>
          collect(generator.generate({ prompt: text, maximumNewTokens })),
        ),
      );
      for (const index of [0, 2, 4]) expect(beside[index]?.ids).toEqual(alone.ids);
      generator.dispose();
    },
  );
});

test('log-probabilities are those of a whole forward pass', async () => {
  const model = await loadModel('llama3-ropescaled');
  const logits = model.fixture.float32('logits.npy');
  const [rows = 0, tokens = 0, vocabulary = 0] = logits.shape;
  const prompts = model.fixture.int32('input_ids.npy').values;
  for (const [, makeRunner] of runners) {
    const generator = await generatorOf(await makeRunner(), model);
    for (let row = 0; row < rows; row++) {
      const prompt = prompts.slice(row * tokens, (row + 1) * tokens);
      const found = await collect(generator.generate({ prompt, maximumNewTokens: 1, logProbabilities: true }));
      const last = logits.values.subarray(((row + 1) * tokens - 1) * vocabulary, (row + 1) * tokens * vocabulary);
      const [id = 0] = found.ids;
      const greatest = Math.max(...last);
      const sum = last.reduce((total, logit) => total + Math.exp(logit - greatest), 0);
      expect(last[id]).toBe(greatest);
      expect(relativeDifference([found.logProbabilities[0] ?? NaN], [-Math.log(sum)])).toBeLessThan(1e-4);
    }
    generator.dispose();
  }
});
