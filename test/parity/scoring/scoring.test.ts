import { createScorer, type Scorer, type ScorerOptions } from '../../../engine/scoring/scorer.js';
import type { ScoredSequence } from '../../../engine/scoring/scored.js';
import { createRandom } from '../../../engine/training/random.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { loadModel, type LoadedModel } from '../generation/models.js';
import { modelNames } from '../models/model-fixtures.js';
import { runners } from '../training/runners.js';

const [topK, temperatures] = [8, [1, 2, 0.7]] as const;

const scorerOf = (runner: Runner, { fixture, weights }: LoadedModel, options: Partial<ScorerOptions> = {}) =>
  createScorer({
    runner,
    config: fixture.config,
    weights,
    rowLengths: [32, 64],
    batchTokens: 128,
    topK,
    temperatures,
    // Several chunks of logits in a batch, the last one shorter.
    logitNumbers: 50 * fixture.config.vocabularySize,
    ...options,
  });

async function scoreAll(scorer: Scorer, sequences: readonly Int32Array[]): Promise<ScoredSequence[]> {
  const all: ScoredSequence[] = [];
  for await (const scored of scorer.score(sequences)) all.push(scored);
  return all.sort((one, other) => one.index - other.index);
}

/** log Σ exp in double precision. */
function logSumExp(logits: Float32Array, temperature: number): number {
  const greatest = Math.max(...logits);
  return greatest / temperature + Math.log(logits.reduce((sum, z) => sum + Math.exp((z - greatest) / temperature), 0));
}

const difference = (found: number | undefined, expected: number): number => Math.abs((found ?? NaN) - expected);

/** Compares one sequence with the logits of a dense forward pass over it, and returns the greatest difference. */
function compare(scored: ScoredSequence, ids: Int32Array, logitsAt: (position: number) => Float32Array): number {
  const differences = [0];
  expect(scored.tokenLogProbabilities).toHaveLength(ids.length - 1);
  expect(scored.topIds).toHaveLength((ids.length - 1) * topK);
  for (let position = 0; position < ids.length - 1; position++) {
    const logits = logitsAt(position);
    const sum = logSumExp(logits, 1);
    differences.push(difference(scored.tokenLogProbabilities[position], (logits[ids[position + 1] ?? 0] ?? 0) - sum));
    const top = [...scored.topIds.subarray(position * topK, (position + 1) * topK)];
    expect(new Set(top).size).toBe(topK);
    const threshold = [...logits].sort((one, other) => other - one)[topK - 1] ?? 0;
    for (const id of top) expect(logits[id]).toBeGreaterThan(threshold - 1e-4);
    for (const { temperature, topLogProbabilities, missingMass, logSumExp: sums } of scored.distributions) {
      const whole = logSumExp(logits, temperature);
      differences.push(difference(sums[position], whole));
      const exact = top.map((id) => (logits[id] ?? 0) / temperature - whole);
      exact.forEach((value, at) => differences.push(difference(topLogProbabilities[position * topK + at], value)));
      const missing = 1 - exact.reduce((mass, value) => mass + Math.exp(value), 0);
      differences.push(difference(missingMass[position], missing));
    }
  }
  return Math.max(...differences);
}

const random = createRandom(3, 'sequences');
const lengths = [24, 1, 2, 31, 32, 33, 64, 7, 7, 12, 50, 3, 19, 20, 5, 5, 40];
const sequencesOf = (ids: Int32Array): Int32Array[] =>
  lengths.map((length) => {
    const start = random.integer(ids.length - length);
    return ids.slice(start, start + length);
  });

describe.each(runners)('on %s', (_, makeRunner) => {
  test.each(modelNames)(
    'packed sequences of mixed length have the distributions of a dense forward pass: %s',
    async (name) => {
      const model = await loadModel(name);
      const { fixture } = model;
      const scorer = await scorerOf(await makeRunner(), model);
      const [batch, reference] = [fixture.int32('input_ids.npy'), fixture.float32('logits.npy')];
      const [rows = 0, tokens = 0] = batch.shape;
      const given = Array.from({ length: rows }, (__, row) => batch.values.slice(row * tokens, (row + 1) * tokens));
      // Between others, so that they do not begin their rows.
      const others = sequencesOf(batch.values.slice(0, 65));
      const scored = await scoreAll(scorer, [...others.slice(0, 9), ...given, ...others.slice(9)]);
      expect(scored.map(({ index }) => index)).toEqual(scored.map((___, index) => index));
      given.forEach((ids, row) => {
        const found = scored[9 + row];
        if (found === undefined) throw new Error(`Expected an answer for row ${row}.`);
        const vocabulary = fixture.config.vocabularySize;
        const at = (position: number) =>
          reference.values.subarray((row * tokens + position) * vocabulary, (row * tokens + position + 1) * vocabulary);
        expect(compare(found, ids, at)).toBeLessThan(1e-4);
      });
      scorer.dispose();
    },
  );

  test('what a sequence is given does not depend on its company by more than rounding, nor at all when scored again', async () => {
    const model = await loadModel('qwen2-gqa-tied');
    const scorer = await scorerOf(await makeRunner(), model);
    const sequences = sequencesOf(model.fixture.int32('long_ids.npy').values);
    const together = await scoreAll(scorer, sequences);
    expect(await scoreAll(scorer, sequences)).toEqual(together);
    for (const [index, sequence] of sequences.entries()) {
      const [alone] = await scoreAll(scorer, [sequence]);
      const found = together[index];
      expect(alone?.tokenLogProbabilities).toHaveLength(sequence.length - 1);
      found?.tokenLogProbabilities.forEach((value, position) =>
        expect(difference(alone?.tokenLogProbabilities[position], value)).toBeLessThan(1e-4),
      );
    }
    scorer.dispose();
  });

  test('the missing mass of a confident teacher is accurate where one minus the rest would be nothing', async () => {
    const name = 'llama3-ropescaled';
    const { fixture, weights } = await loadModel(name);
    // Logits grow with the head, which is not tied: exactly, for a power of two.
    const confident = 32;
    const scaled: LoadedModel = {
      fixture,
      weights: (tensor) =>
        tensor === 'lm_head.weight' ? weights(tensor).map((value) => value * confident) : weights(tensor),
    };
    const scorer = await scorerOf(await makeRunner(), scaled, { temperatures: [1] });
    const [batch, reference] = [fixture.int32('input_ids.npy'), fixture.float32('logits.npy')];
    const [, tokens = 0, vocabulary = 0] = reference.shape;
    const [scored] = await scoreAll(scorer, [batch.values.slice(0, tokens)]);
    let tiny = 0;
    for (let position = 0; position < tokens - 1; position++) {
      const logits = reference.values.subarray(position * vocabulary, (position + 1) * vocabulary);
      const ordered = Float64Array.from(logits, (logit) => logit * confident)
        .sort()
        .reverse();
      const weigh = (part: Float64Array) => part.reduce((sum, logit) => sum + Math.exp(logit - (ordered[0] ?? 0)), 0);
      const missing = weigh(ordered.subarray(topK)) / weigh(ordered);
      const found = scored?.distributions[0]?.missingMass[position] ?? NaN;
      expect(Math.abs(found / missing - 1)).toBeLessThan(0.02);
      if (missing < 1e-8) tiny += 1;
    }
    expect(tiny).toBeGreaterThan(0);
    scorer.dispose();
  });
});

test('what cannot be scored is refused by name', async () => {
  const model = await loadModel('qwen3-qknorm');
  const runner = kernelsRunner({ backend: 'wasm' });
  for (const options of [
    { rowLengths: [] },
    { rowLengths: [64, 32] },
    { rowLengths: [513] },
    { batchTokens: 0 },
    { topK: 0 },
    { topK: 1025 },
    { temperatures: [0] },
  ])
    await expect(scorerOf(runner, model, options)).rejects.toMatchObject({ code: 'inference-setting-invalid' });
  const scorer = await scorerOf(runner, model);
  const refused = (ids: Int32Array, code: string) => expect(scoreAll(scorer, [ids])).rejects.toMatchObject({ code });
  await refused(new Int32Array(65), 'sequence-too-long');
  await refused(new Int32Array(), 'inference-setting-invalid');
  await refused(Int32Array.of(3, 1024), 'inference-setting-invalid');
  scorer.dispose();
});
