/** A model whose numbers overflow, for one text or for all: no token is the most probable, and none is made up. */
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import { runners } from '../training/runners.js';
import { collect, generatorOf, loadModel, type LoadedModel } from './models.js';

const prompt = Int32Array.of(40, 500, 77, 3);
/** Its place in the cache reaches beyond that of the other prompt. */
const longer = Int32Array.from({ length: 12 }, (_, token) => 100 + token);
const maximumNewTokens = 6;
const embedding = 'model.embed_tokens.weight';
const head = 'lm_head.weight';

const cpu = async () => kernelsRunner({ backend: 'cpu' });
const variants = [
  ['cpu', cpu, false] as const,
  ...runners.map(([name, makeRunner]) => [name, makeRunner, false] as const),
  ...runners.filter(([name]) => name === 'tensorflow').map(([, makeRunner]) => ['XLA', makeRunner, true] as const),
];

/** The model, but for the row of one token in one tensor. */
const withRow = (model: LoadedModel, tensor: string, token: number, value: number): LoadedModel => ({
  ...model,
  weights(name): Numbers {
    const values = model.weights(name);
    const { hiddenSize } = model.fixture.config;
    return name === tensor ? values.slice().fill(value, token * hiddenSize, (token + 1) * hiddenSize) : values;
  },
});

const refused = (token: number, length: number) => ({
  code: 'distribution-invalid',
  message: expect.stringContaining(`new token ${token} of a prompt of ${length} tokens, found NaN or +∞`),
});

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel('llama3-ropescaled');
});

describe.each(variants)('on %s', (_, makeRunner, xla) => {
  test('a sequence without numbers ends by the name of its token; what runs beside it, or follows in its slot, is as ever', async () => {
    const runner = await makeRunner();
    const sound = await generatorOf(runner, model, { xla });
    const request = { prompt, maximumNewTokens, logProbabilities: true };
    const expected = await collect(sound.generate(request));
    sound.dispose();
    const generator = await generatorOf(runner, withRow(model, embedding, longer.at(-1)!, NaN), { xla });
    const broken = [0, 1].map(() => collect(generator.generate({ prompt: longer, maximumNewTokens })));
    const beside = collect(generator.generate(request));
    for (const one of broken) await expect(one).rejects.toMatchObject(refused(1, longer.length));
    expect(await beside).toEqual(expected);
    const after = await Promise.all([0, 1, 2].map(() => collect(generator.generate(request))));
    for (const one of after) expect(one).toEqual(expected);
    generator.dispose();
  });

  test('what came before stays, greedy or drawn', async () => {
    const runner = await makeRunner();
    const sound = await generatorOf(runner, model, { xla });
    const [first = 0, second = 0] = (await collect(sound.generate({ prompt, maximumNewTokens: 2 }))).ids;
    sound.dispose();
    expect([...prompt, first]).not.toContain(second);
    const generator = await generatorOf(runner, withRow(model, embedding, second, NaN), { xla });
    for (const sampling of [undefined, { seed: 1, topK: 1 }]) {
      const seen: number[] = [];
      const ended = (async () => {
        for await (const event of generator.generate({ prompt, maximumNewTokens, ...(sampling && { sampling }) }))
          if (event.kind === 'token') seen.push(event.id);
      })();
      await expect(ended).rejects.toMatchObject(refused(3, prompt.length));
      expect(seen).toEqual([first, second]);
    }
    generator.dispose();
  });

  test.each([NaN, Infinity])('one token whose logit is %d is enough', async (value) => {
    const generator = await generatorOf(await makeRunner(), withRow(model, head, 7, value), { xla });
    await expect(collect(generator.generate({ prompt, maximumNewTokens }))).rejects.toMatchObject(refused(1, 4));
    generator.dispose();
  });
});
