/** What a request asks for, and how it ends. The texts of models with random weights are noise: half characters are common. */
import { join } from 'node:path';
import type { Generator } from '../../../engine/generation/generator.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import { openTokenizer, type Tokenizer } from '../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../support/npy.js';
import { collect, generatorOf, loadModel, type LoadedModel } from './models.js';

const name = 'qwen3-qknorm';
const runner = kernelsRunner({ backend: 'wasm' });
const prompt = Int32Array.of(40, 500, 77, 3);
const drawn = { seed: 9, temperature: 3 };

let model: LoadedModel;
let tokenizer: Tokenizer;
let generator: Generator;

beforeAll(async () => {
  model = await loadModel(name);
  tokenizer = await openTokenizer(join(modelFixtures, name));
  generator = await generatorOf(runner, model, { tokenizer });
});

afterAll(() => generator.dispose());

test('a slot that is full ends its sequence, and its last token comes from all of it', async () => {
  const long = Int32Array.from({ length: 30 }, (_, index) => 10 + index);
  const full = await collect(generator.generate({ prompt: long, maximumNewTokens: 1000 }));
  expect(full.reason).toBe('length');
  expect(full.ids).toHaveLength(48 - 30 + 1);
  const roomier = await generatorOf(runner, model, { capacity: 64 });
  const more = await collect(roomier.generate({ prompt: long, maximumNewTokens: 25 }));
  expect(more.ids.slice(0, full.ids.length)).toEqual(full.ids);
  roomier.dispose();
});

test('the most probable tokens are reported beside each, whatever is drawn, and change nothing', async () => {
  const request = { prompt, maximumNewTokens: 8, sampling: drawn, logProbabilities: true };
  const tokens = async (more: object) => {
    const found = [];
    for await (const event of generator.generate({ ...request, ...more }))
      if (event.kind === 'token') found.push(event);
    return found;
  };
  const plain = await tokens({});
  const reported = await tokens({ mostProbable: 1024 });
  expect(reported.map((token) => ({ ...token, mostProbable: undefined }))).toEqual(plain);
  for (const { id, logProbability, mostProbable = [] } of reported) {
    expect(mostProbable).toHaveLength(1024);
    expect(mostProbable.find((other) => other.id === id)?.logProbability).toBeCloseTo(logProbability ?? 1, 5);
    const masses = mostProbable.map((other) => Math.exp(other.logProbability));
    expect(masses).toEqual(masses.toSorted((one, other) => other - one));
    expect(masses.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 9);
  }
  expect((await tokens({ mostProbable: 3 })).map(({ mostProbable }) => mostProbable)).toEqual(
    reported.map(({ mostProbable }) => mostProbable?.slice(0, 3)),
  );
});

test('what cannot be generated is refused by name before anything runs', () => {
  const refused = (request: object, code: string) =>
    expect(() => generator.generate({ prompt, maximumNewTokens: 5, ...request })).toThrow(
      expect.objectContaining({ code }),
    );
  refused({ prompt: new Int32Array(33) }, 'sequence-too-long');
  for (const request of [
    { prompt: new Int32Array() },
    { prompt: Int32Array.of(1024) },
    { prompt: Int32Array.of(-1) },
    { maximumNewTokens: 0 },
    { stopStrings: [''] },
    { mostProbable: 1025 },
    { mostProbable: -1 },
    { sampling: { seed: -1 } },
    { sampling: { seed: 1, temperature: 0 } },
    { sampling: { seed: 1, topK: 1.5 } },
    { sampling: { seed: 1, topP: 0 } },
  ])
    refused(request, 'inference-setting-invalid');
});

test.each([
  { slots: 0 },
  { capacity: 513 },
  { promptLengths: [] },
  { promptLengths: [16, 8] },
  { promptLengths: [64] },
])('a generator of impossible shape is refused: %j', async (options) => {
  await expect(generatorOf(runner, model, options)).rejects.toMatchObject({ code: 'inference-setting-invalid' });
});

test('equal seeds give equal tokens, other seeds others', async () => {
  const draw = (seed: number) =>
    collect(generator.generate({ prompt, maximumNewTokens: 20, sampling: { ...drawn, seed } }));
  const found = await Promise.all([1, 2, 1, 3, 1].map(draw));
  expect(found[2]).toEqual(found[0]);
  expect(found[4]).toEqual(found[0]);
  expect(new Set(found.map(({ ids }) => ids.join())).size).toBe(3);
});

test('a stop token ends the sequence and is no part of its text; the generator has such tokens too', async () => {
  const request = { prompt, maximumNewTokens: 20, sampling: drawn };
  const whole = await collect(generator.generate(request));
  const stop = whole.ids[11] ?? 0;
  const length = whole.ids.indexOf(stop) + 1;
  const stopped = await collect(generator.generate({ ...request, stopTokens: [stop] }));
  expect(stopped).toMatchObject({ ids: whole.ids.slice(0, length), reason: 'stop' });
  expect(stopped.text).toBe(tokenizer.decode(whole.ids.slice(0, length - 1), { skipSpecialTokens: true }));
  const ending = await generatorOf(runner, model, { endOfSequence: [stop] });
  expect(await collect(ending.generate(request))).toMatchObject({ ids: stopped.ids, reason: 'stop', text: '' });
  expect(() => ending.generate({ ...request, stopStrings: ['x'] })).toThrow(
    expect.objectContaining({ code: 'inference-setting-invalid' }),
  );
  ending.dispose();
});

test('texts come by whole characters and end before a stop string, also one across tokens', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const request = { prompt, maximumNewTokens: 30, sampling: { ...drawn, seed } };
    const { text, ids } = await collect(generator.generate(request));
    expect(text).toBe(tokenizer.decode(ids, { skipSpecialTokens: true }));
    const pieces: string[] = [];
    for await (const event of generator.generate(request)) pieces.push(event.text);
    for (const piece of pieces) expect(piece).not.toMatch(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/);
    const boundary = pieces.slice(0, 15).join('').length;
    const across = text.slice(boundary - 2, boundary + 2);
    const stopped = await collect(generator.generate({ ...request, stopStrings: [across] }));
    expect(stopped.reason).toBe('stop-string');
    expect(stopped.text).toBe(text.slice(0, text.indexOf(across)));
    expect(stopped.ids.length).toBeLessThan(ids.length);
  }
});

test('a sequence that is called off frees its slot: by signal, by leaving the loop, or while it waits', async () => {
  const endless = { prompt, maximumNewTokens: 44, sampling: drawn };
  const aborts = Array.from({ length: 4 }, () => new AbortController());
  // Three take all slots, the fourth waits.
  const runs = aborts.map(({ signal }) => collect(generator.generate({ ...endless, signal })));
  const after = collect(generator.generate({ prompt, maximumNewTokens: 3 }));
  for await (const event of generator.generate(endless)) {
    expect(event.kind).toBe('token');
    break;
  }
  for (const abort of aborts) abort.abort();
  for (const run of await Promise.all(runs)) expect(['cancelled', 'length']).toContain(run.reason);
  expect((await after).ids).toHaveLength(3);
  const early = new AbortController();
  early.abort();
  expect(await collect(generator.generate({ ...endless, signal: early.signal }))).toEqual({
    ids: [],
    logProbabilities: [],
    text: '',
    reason: 'cancelled',
  });
});

test('disposing ends what runs and what waits as cancelled', async () => {
  const short = await generatorOf(runner, model, { slots: 1 });
  const [running, waiting] = [1, 2].map((seed) =>
    short.generate({ prompt, maximumNewTokens: 44, sampling: { ...drawn, seed } }),
  );
  if (running === undefined || waiting === undefined) throw new Error('Expected two sequences.');
  const reasons: (string | undefined)[] = [];
  for await (const event of running) {
    if (event.kind === 'token') short.dispose();
    else reasons.push(event.reason);
  }
  reasons.push((await collect(waiting)).reason);
  expect(reasons).toEqual(['cancelled', 'cancelled']);
});
