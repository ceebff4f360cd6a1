/** What has gone wrong in other toolkits between a captured teacher and a loss, as policy: scorer, store, packing and objective as a training has them. */
import type { LogitRow, Logits } from '../../../distillation/logits/index.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { teacherObjective, teacherWeights, topKObjective } from '../../../engine/training/objective.js';
import type { Divergence } from '../../../engine/training/losses/divergence.js';
import type { TopKDistillationSettings } from '../../../engine/training/losses/distillation.js';
import { tinyConfig } from '../../support/tiny-run.js';
import { capturedRows, firstSteps, storedLogits, teacherWeightsOf, wholeStep } from '../../support/stored-teacher.js';
import { runners } from '../training/runners.js';

const forward: Divergence = { kind: 'forward-kl' };
const divergences: Divergence[] = [forward, { kind: 'reverse-kl' }, { kind: 'jensen-shannon', beta: 0.3 }];
const settings = (changes: Partial<TopKDistillationSettings> = {}): TopKDistillationSettings => ({
  divergence: forward,
  temperature: 1,
  timesTemperatureSquared: true,
  crossEntropyShare: 0,
  ...changes,
});

describe.each(runners)('a captured teacher on %s', (_, makeRunner) => {
  let runner: Runner;
  let topFive: readonly LogitRow[];
  let whole: Logits;
  let five: Logits;

  beforeAll(async () => {
    runner = await makeRunner();
    topFive = await capturedRows(runner, 5);
    whole = await storedLogits(await capturedRows(runner, 32));
    five = await storedLogits(topFive);
  });

  afterAll(async () => {
    await whole.close();
    await five.close();
  });

  const stepWith = async (
    logits: Logits,
    changes: Partial<TopKDistillationSettings> = {},
    weights?: typeof teacherWeightsOf,
  ) => {
    const used = settings(changes);
    const source = wholeStep(logits, {}, used.temperature);
    const [event] = await firstSteps(
      { runner, objective: topKObjective(used, logits.k), source },
      weights && { weights },
    );
    return event!;
  };

  const denseStep = async (changes: Partial<TopKDistillationSettings> = {}) => {
    const objective = teacherObjective(settings(changes), tinyConfig);
    const [event] = await firstSteps(
      { runner, objective, source: wholeStep() },
      { frozen: teacherWeights(teacherWeightsOf) },
    );
    return event!;
  };

  test.each(
    divergences.flatMap((divergence) =>
      [1, 2].map((temperature) => ({ divergence, temperature, crossEntropyShare: 0.3 })),
    ),
  )('of whose vocabulary all was kept teaches what the teacher beside the student does: %j', async (changes) => {
    const [stored, dense] = [await stepWith(whole, changes), await denseStep(changes)];
    expect(Math.abs(stored.loss - dense.loss)).toBeLessThan(1e-5);
    expect(Math.abs(stored.gradientNorm / dense.gradientNorm - 1)).toBeLessThan(1e-4);
  });

  test.each([[[2]], [[2, 0.7]], [[0.7, 3, 2]]])(
    'says at a temperature the same bits whatever other ones are captured with it: %j',
    async (temperatures) => {
      const at = temperatures.indexOf(2);
      const rows = await capturedRows(runner, 5, 0, temperatures);
      expect(rows.map(({ missingLogOdds, ...row }) => ({ ...row, odds: missingLogOdds[at] }))).toEqual(
        topFive.map(({ missingLogOdds: [, odds], ...row }) => ({ ...row, odds })),
      );
    },
  );

  test('of which the most probable were kept charges less than the whole divergence, and not nothing', async () => {
    for (const divergence of divergences) {
      const [kept, all] = [await stepWith(five, { divergence }), await stepWith(whole, { divergence })];
      expect(kept.loss).toBeLessThan(all.loss);
      expect(kept.loss).toBeGreaterThan(all.loss / 4);
    }
  });

  test('costs a student that is the teacher nothing, but for the renormalised teacher −log of the captured mass', async () => {
    for (const divergence of divergences)
      expect(Math.abs((await stepWith(five, { divergence }, teacherWeightsOf)).loss)).toBeLessThan(1e-5);
    for (const missingMass of ['truncate', 'tail-bucket'] as const)
      expect(Math.abs((await stepWith(five, { missingMass }, teacherWeightsOf)).loss)).toBeLessThan(1e-5);
    const renormalised = await stepWith(five, { missingMass: 'renormalise' }, teacherWeightsOf);
    expect(renormalised.loss).toBeCloseTo(await meanLogMass(), 5);
    expect(renormalised.loss).toBeGreaterThan(0.01);
  });

  /** −log a, averaged over the tokens that are learned. */
  async function meanLogMass(): Promise<number> {
    let [sum, count] = [0, 0];
    for await (const { microBatches } of wholeStep(five).steps(null, undefined as never))
      for (const { weights, extra } of microBatches)
        for (const [token, weight] of weights.entries()) {
          sum -= weight * Math.log1p(-(extra?.['teacherMissingMass']?.[token] ?? 0));
          count += weight;
        }
    return sum / count;
  }

  test('paired with the token before or after costs much: the shift is exactly one', async () => {
    const shifted = async (by: number) => {
      const logits = await storedLogits(topFive.map((row) => rotated(row, by)));
      const { loss } = await stepWith(logits, {}, teacherWeightsOf);
      await logits.close();
      return loss;
    };
    expect(Math.abs(await shifted(0))).toBeLessThan(1e-5);
    expect(await shifted(1)).toBeGreaterThan(0.01);
    expect(await shifted(-1)).toBeGreaterThan(0.01);
  });

  test('says nothing about prompts: other distributions there change neither loss nor gradient', async () => {
    // The first trained token of every sample is the third: position 0 is that of a prompt.
    const logits = await storedLogits(topFive.map(withOtherPrompt));
    const [plain, other] = [await stepWith(five), await stepWith(logits)];
    expect([other.loss, other.gradientNorm]).toEqual([plain.loss, plain.gradientNorm]);
    await logits.close();
  });

  test('written in another order, shuffled, and accumulated over micro-batches gives the loss of the plain step', async () => {
    const reversed = await storedLogits(topFive.toReversed());
    const objective = topKObjective(settings({ crossEntropyShare: 0.4 }), 5);
    const plain = (await firstSteps({ runner, objective, source: wholeStep(five) }))[0]!;
    for (const [rows, microBatches, seed] of [
      [16, 1, 9],
      [1, 16, 5],
      [8, 2, 5],
      [2, 8, 77],
    ] as const) {
      // prettier-ignore
      const source = wholeStep(reversed, { rows, microBatches, seed });
      const shape = { rows, tokens: 16, microBatches };
      const step = (await firstSteps({ runner, objective, source, shape }))[0]!;
      expect(Math.abs(step.loss - plain.loss)).toBeLessThan(2e-6);
      expect(Math.abs(step.gradientNorm / plain.gradientNorm - 1)).toBeLessThan(1e-5);
    }
    await reversed.close();
  });

  test('captured again from any sample on gives the same rows, bit for bit', async () => {
    expect(await capturedRows(runner, 5, 7)).toEqual(topFive.slice(7));
  });
});

/** The same distributions, each about the token `by` places further on. */
function rotated(row: LogitRow, by: number): LogitRow {
  const positions = row.ids.length - 1;
  const from = (position: number): number => (position - by + positions) % positions;
  const turn = <A extends Int32Array | Float32Array | Float64Array>(array: A): A => {
    const width = array.length / positions;
    return array.map((_, entry) => array[from(Math.floor(entry / width)) * width + (entry % width)] ?? 0) as A;
  };
  return { ...row, topIds: turn(row.topIds), gaps: turn(row.gaps), missingLogOdds: row.missingLogOdds.map(turn) };
}

function withOtherPrompt(row: LogitRow): LogitRow {
  const k = row.topIds.length / (row.ids.length - 1);
  const topIds = row.topIds.map((id, entry) => (entry < k ? (id + 11) % 32 : id));
  return { ...row, topIds, missingLogOdds: row.missingLogOdds.map((odds) => odds.with(0, 0)) };
}
