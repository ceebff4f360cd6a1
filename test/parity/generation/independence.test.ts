/** A rerun rests on this: what a sequence is given does not depend on what runs beside it, to the last bit. */
import type { Generator } from '../../../engine/generation/generator.js';
import type { GenerationRequest } from '../../../engine/generation/request.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { createRandom } from '../../../engine/training/random.js';
import { modelNames, type ModelName } from '../models/model-fixtures.js';
import { runners } from '../training/runners.js';
import { collect, generatorOf, loadModel, type Generated, type LoadedModel } from './models.js';

const slots = 4;

/** A token whose embedding is 10,000 times as large, so that neighbours can be as extreme as they like. */
const extremeToken = 5;

/** The head keeps the plain embeddings, or that token would be the answer to everything. */
async function loadWithExtremeToken(name: ModelName): Promise<LoadedModel> {
  const { fixture, weights } = await loadModel(name);
  const embeddings = weights('model.embed_tokens.weight');
  const width = fixture.config.hiddenSize;
  const extreme = embeddings.map((value, index) =>
    Math.floor(index / width) === extremeToken ? value * 10_000 : value,
  );
  return {
    fixture: { ...fixture, config: { ...fixture.config, tiedEmbeddings: false } },
    weights: (tensor) => {
      if (tensor === 'model.embed_tokens.weight') return extreme;
      return tensor === 'lm_head.weight' && fixture.config.tiedEmbeddings ? embeddings : weights(tensor);
    },
  };
}

const random = createRandom(7, 'prompts');
const promptOf = (length: number, extreme = false): Int32Array =>
  Int32Array.from({ length }, () => (extreme && random.uniform() < 0.5 ? extremeToken : 6 + random.integer(900)));

/** In turn: greedy, drawn, drawn from few; prompts of all lengths. */
const requests: readonly GenerationRequest[] = [5, 8, 13, 27].map((length, index) => ({
  prompt: promptOf(length),
  maximumNewTokens: 10 + index,
  logProbabilities: true,
  ...(index > 0 && {
    sampling: { seed: index, temperature: 1.5, topK: index === 2 ? 20 : 0, topP: index === 3 ? 0.9 : 1 },
  }),
}));

const neighbour = (extreme: boolean): GenerationRequest => ({
  prompt: promptOf(1 + random.integer(31), extreme),
  maximumNewTokens: 1 + random.integer(17),
  logProbabilities: random.uniform() < 0.5,
  sampling: { seed: random.integer(1000), temperature: 1 + 2 * random.uniform() },
});

/** A runner whose generators tell the slot that each prompt was last read into, the last copy of it where it fills other rows too. */
function watched(runner: Runner, slotOf: Map<string, number>): Runner {
  const { name, fingerprint } = runner;
  const load: Runner['load'] = async (...given) => {
    const executable = await runner.load(...given);
    const run = executable.run.bind(executable);
    executable.run = (program, inputs) => {
      const { ids, last, slots: read } = inputs; // of a program that reads prompts; no other has all three
      if (ids !== undefined && last !== undefined && read !== undefined)
        for (const [row, place] of last.entries()) {
          const first = row * (ids.length / last.length);
          slotOf.set(ids.subarray(first, first + place + 1).join(), read[row] ?? NaN);
        }
      return run(program, inputs);
    };
    return executable;
  };
  return { name, fingerprint, load };
}

/** The slots before it are taken by sequences that are over after the first step; from then on it is alone. */
async function aloneIn(generator: Generator, request: GenerationRequest, slot: number): Promise<Generated> {
  const others = Array.from({ length: slot }, () => ({ ...neighbour(false), maximumNewTokens: 2 }));
  const before = others.map((other) => collect(generator.generate(other)));
  const found = await collect(generator.generate(request));
  await Promise.all(before);
  return found;
}

/**
 * Every slot is taken. With the third token of all, that slot's sequence ends and the request joins the others, which leave one
 * after another while more come.
 */
async function joiningIn(generator: Generator, request: GenerationRequest, slot: number, extreme: boolean) {
  const started = Array.from({ length: slots }, (_, index) => {
    const maximumNewTokens = index === slot ? 3 : 4 + random.integer(13);
    return generator.generate({ ...neighbour(extreme), maximumNewTokens })[Symbol.asyncIterator]();
  });
  for (let token = 0; token < 3; token += 1) await started[(slot + 1) % slots]?.next();
  const wanted = generator.generate(request);
  const later: Promise<Generated>[] = [];
  const observed = (async function* () {
    for await (const event of wanted) {
      // Joins while the others are at work, and now and then one is sent away.
      const abort = new AbortController();
      const joining = { ...neighbour(extreme), maximumNewTokens: 12, signal: abort.signal };
      if (random.uniform() < 0.4) later.push(collect(generator.generate(joining)));
      if (random.uniform() < 0.5) abort.abort();
      yield event;
    }
  })();
  const found = await collect(observed);
  await Promise.all([...started.map((events) => collect({ [Symbol.asyncIterator]: () => events })), ...later]);
  return found;
}

/** Every bit of every number. */
const bitsOf = ({ logProbabilities, ...rest }: Generated) => ({
  ...rest,
  logProbabilities: [...new Uint32Array(Float32Array.from(logProbabilities, (value) => value ?? NaN).buffer)],
});

const compiled = runners.filter(([name]) => name === 'tensorflow').map(([, make]) => ['XLA', make, true] as const);
const variants = [...runners.map(([name, make]) => [name, make, false] as const), ...compiled];

describe.each(variants)('on %s', (_, makeRunner, xla) => {
  test.each(modelNames)(
    'a sequence has the same bits in every slot, alone, beside any others, joining late: %s',
    async (name) => {
      const model = await loadWithExtremeToken(name);
      const slotOf = new Map<string, number>();
      const generator = await generatorOf(watched(await makeRunner(), slotOf), model, { slots, xla });
      for (const request of requests) {
        const key = request.prompt.join();
        const alone = bitsOf(await collect(generator.generate(request)));
        expect(alone.ids).toHaveLength(request.maximumNewTokens);
        expect(new Set(alone.logProbabilities).size).toBeGreaterThan(5);
        expect(slotOf.get(key)).toBe(0);
        for (let slot = 0; slot < slots; slot += 1) {
          const ways = [
            () => aloneIn(generator, request, slot),
            () => joiningIn(generator, request, slot, false),
            () => joiningIn(generator, request, slot, true),
          ];
          for (const run of ways) expect([bitsOf(await run()), slotOf.get(key)]).toEqual([alone, slot]);
        }
        // And all of them asked in one go, behind more than there are slots.
        const crowd = Array.from({ length: 6 }, () => collect(generator.generate(neighbour(true))));
        expect(bitsOf(await collect(generator.generate(request)))).toEqual(alone);
        await Promise.all(crowd);
      }
      generator.dispose();
    },
  );
});

test('another generator of the same shape gives the same bits', async () => {
  const model = await loadWithExtremeToken('qwen3-qknorm');
  const found = [];
  for (const [, makeRunner] of [...runners, ...runners]) {
    const generator = await generatorOf(await makeRunner(), model, { slots });
    found.push(await Promise.all(requests.map(async (request) => bitsOf(await collect(generator.generate(request))))));
    generator.dispose();
  }
  expect(found[2]).toEqual(found[0]);
  expect(found[3]).toEqual(found[1]);
});
