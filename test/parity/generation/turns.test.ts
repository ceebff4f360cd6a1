/** A server that generates goes on serving: programs are synchronous, so the event loop must get its turn between any two. */
import { setImmediate } from 'node:timers/promises';
import type { GenerationRequest } from '../../../engine/generation/request.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { collect, generatorOf, loadModel, type LoadedModel } from './models.js';

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel('qwen3-qknorm');
});

/** A runner that tells of each program before it runs. */
function observed(observe: (program: string) => void): Runner {
  const runner = kernelsRunner({ backend: 'wasm' });
  return {
    ...runner,
    async load(...given) {
      const executable = await runner.load(...given);
      const run = executable.run.bind(executable);
      executable.run = (program, inputs) => {
        observe(program);
        return run(program, inputs);
      };
      return executable;
    },
  };
}

const requests: readonly GenerationRequest[] = [1, 2, 3, 4, 5].map((seed) => ({
  prompt: Int32Array.of(40, 500, 77, seed),
  maximumNewTokens: seed,
  logProbabilities: seed % 2 === 0,
  mostProbable: seed === 3 ? 5 : 0,
  ...(seed > 2 && { sampling: { seed } }),
}));

test('prompts of one length that wait are read together, as many as a call has, in their order', async () => {
  const programs: string[] = [];
  const generator = await generatorOf(
    observed((program) => programs.push(program)),
    model,
    { slots: 8 },
  );
  const prompts = [5, 8, 3, 8, 8, 20, 2, 7].map((length) => new Int32Array(length).fill(500));
  await Promise.all(prompts.map((prompt) => collect(generator.generate({ prompt, maximumNewTokens: 1 }))));
  expect(programs).toEqual(['prefill 8', 'prefill 32', 'prefill 8']);
  generator.dispose();
});

test('between any two programs the event loop has its turn: prompts, steps, and what is asked beside a token', async () => {
  let [turn, ended] = [0, false];
  const turns: { readonly program: string; readonly turn: number }[] = [];
  const generator = await generatorOf(
    observed((program) => turns.push({ program, turn })),
    model,
  );
  const counting = (async () => {
    for (; !ended; turn += 1) await setImmediate();
  })();
  await Promise.all(requests.map((request) => collect(generator.generate(request))));
  ended = true;
  await counting;
  generator.dispose();
  expect(new Set(turns.map(({ program }) => program))).toEqual(
    new Set(['prefill 8', 'decode', 'logits', 'logProbabilities']),
  );
  expect(new Set(turns.map((each) => each.turn)).size).toBe(turns.length);
});

test('a prompt that is called off while another is read is not read', async () => {
  let read = 0;
  const abort = new AbortController();
  const generator = await generatorOf(
    observed((program) => {
      if (program.startsWith('prefill')) read += 1;
      abort.abort();
    }),
    model,
  );
  // Too long to be read with the first.
  const [prompt, longer] = [Int32Array.of(40, 500), new Int32Array(12).fill(500)];
  const [first, second] = await Promise.all([
    collect(generator.generate({ prompt, maximumNewTokens: 3 })),
    collect(generator.generate({ prompt: longer, maximumNewTokens: 3, signal: abort.signal })),
  ]);
  expect([first.ids.length, first.reason]).toEqual([3, 'length']);
  expect([second.ids.length, second.reason]).toEqual([0, 'cancelled']);
  expect(read).toBe(1);
  generator.dispose();
});

const moments: [string, (work: () => void) => void][] = [
  ['at once', queueMicrotask],
  ['in the turn', (work) => process.nextTick(work)],
];
const last = ['prefill 8', 'decode', 'logits', 'logProbabilities'];

test.each(last.flatMap((program) => moments.map(([when, soon]) => [when, program, soon] as const)))(
  'disposing %s behind "%s" ends every sequence as cancelled, and nothing follows its end',
  async (_, behind, soon) => {
    let dispose = (): void => undefined;
    const generator = await generatorOf(
      observed((program) => {
        if (program === behind) soon(() => dispose());
      }),
      model,
    );
    dispose = () => generator.dispose();
    const kinds = await Promise.all(
      requests.map(async (request) => {
        const found: string[] = [];
        for await (const event of generator.generate({ ...request, maximumNewTokens: 20 }))
          found.push(event.kind === 'end' ? event.reason : event.kind);
        return found;
      }),
    );
    for (const found of kinds)
      expect([found.indexOf('cancelled'), found.at(-1)]).toEqual([found.length - 1, 'cancelled']);
  },
);

test('a slot whose sequence ends with its first token is free for the next, and those that run are not kept waiting', async () => {
  const programs: string[] = [];
  const generator = await generatorOf(
    observed((program) => programs.push(program)),
    model,
    { slots: 2 },
  );
  const prompt = Int32Array.of(40, 500);
  const long = collect(generator.generate({ prompt, maximumNewTokens: 10 }));
  const short = Array.from({ length: 6 }, () => collect(generator.generate({ prompt, maximumNewTokens: 1 })));
  expect((await Promise.all(short)).map(({ ids, reason }) => [ids.length, reason])).toEqual(
    short.map(() => [1, 'length']),
  );
  expect((await long).ids).toHaveLength(10);
  // The first two are read together; of the others there is room for one at a time.
  const oneByOne = ['prefill 8', 'prefill 8', 'decode'];
  expect(programs.slice(0, 8)).toEqual(['prefill 8', 'decode', ...oneByOne, ...oneByOne]);
  generator.dispose();
});
