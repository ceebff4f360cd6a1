import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { armsOf, cellOf, evaluationOf, planOfSeries, type Series } from '../../../../examples/sql/series-plan.js';
import { resultOf, scoredModels, type Scores } from '../../../../examples/sql/series-result.js';
import { conclusionOf, differenceOverSeeds } from '../../../../examples/sql/series-statistics.js';
import { loadPlan } from '../../../../cli/plan/load-plan.js';
import type { PlanNode } from '../../../../config/plan.js';
import { teacherDirectory } from '../../../../examples/sql/student.js';
import type { JsonObject } from '../../../../storage/index.js';

const folder = mkdtempSync(join(tmpdir(), 'series-'));
afterAll(() => rmSync(folder, { recursive: true }));
const series: Series = {
  sizes: [600, 1000],
  seeds: [1, 2, 3],
  temperatures: [1, 2],
  promptsOf: (size) => join(folder, `prompts-${size}.jsonl`),
  store: `file://${folder}/store`,
  endpoint: 'http://127.0.0.1:8797/v1',
};

let nodes: ReadonlyMap<string, PlanNode>;
beforeAll(async () => {
  const { file } = await loadPlan({ path: join(teacherDirectory, '..', 'distill.yaml'), variables: {} });
  const path = join(folder, 'plan.json');
  writeFileSync(path, JSON.stringify(planOfSeries(file as JsonObject, series)));
  const { resolved } = await loadPlan({ path, variables: {} });
  nodes = new Map(resolved?.plan.nodes.map((node) => [node.id, node]));
});

test('the series trains and judges every arm with every seed and number of prompts', () => {
  for (const model of scoredModels(series)) expect(nodes.get(evaluationOf(model))?.uses).toBe('evaluate');
  const trained = [...nodes.values()].filter(({ uses }) => uses === 'fine-tune' || uses === 'distill');
  expect(trained).toHaveLength(series.sizes.length * series.seeds.length * armsOf(series).length);
});

test('what is compared begins with the same weights and differs in the share of cross-entropy and the temperature alone', () => {
  for (const size of series.sizes)
    for (const seed of series.seeds) {
      const control = nodes.get(cellOf('ce', size, seed));
      expect(control?.inputs['model']).toEqual({ node: cellOf('sft', size, seed), output: 'model' });
      expect(control?.with).toMatchObject({ seed, crossEntropyShare: 1 });
      for (const temperature of series.temperatures) {
        const distilled = nodes.get(cellOf(`kd-${temperature}`, size, seed));
        expect(distilled?.inputs).toEqual(control?.inputs);
        expect(distilled?.with).toMatchObject({ temperature });
        const { crossEntropyShare, temperature: softness } = control?.with ?? {};
        expect({ ...distilled?.with, crossEntropyShare, temperature: softness }).toEqual(control?.with);
      }
    }
});

test('nothing of the series learns from the held-out questions', () => {
  const learning = [...nodes.values()].filter(({ uses }) => uses !== 'evaluate');
  expect(learning.filter(({ needs }) => needs.includes('test'))).toEqual([]);
});

const questions = Array.from({ length: 200 }, (_, question) => question);

test('a gain in every seed is shown, one in a single seed is not', () => {
  const everywhere = series.seeds.map(() => questions.map((question) => (question % 4 === 0 ? 1 : 0)));
  const shown = differenceOverSeeds(everywhere);
  expect(shown.mean).toBeCloseTo(0.25);
  expect(shown.interval.lower).toBeGreaterThan(0.15);
  expect(shown.interval.upper).toBeLessThan(0.35);
  expect(conclusionOf(shown)).toBe('better');
  const inOne = everywhere.map((of, seed) => (seed === 0 ? of : questions.map(() => 0)));
  expect(conclusionOf(differenceOverSeeds(inOne))).toBe('no difference shown');
});

test('seeds that disagree widen the interval, though each is sure', () => {
  const sure = (gain: number): number[] => questions.map((question) => (question < 100 ? gain : 0));
  const agreed = differenceOverSeeds([sure(1), sure(1), sure(1)]);
  const divided = differenceOverSeeds([sure(1), sure(-1), sure(1)]);
  expect(divided.perSeed).toEqual([0.5, -0.5, 0.5]);
  const width = ({ interval: { lower, upper } }: typeof agreed): number => upper - lower;
  expect(width(divided)).toBeGreaterThan(3 * width(agreed));
  expect(conclusionOf(divided)).toBe('no difference shown');
});

test('the report gives the mean and the range of the seeds, and a comparison is met only where a gain is shown', () => {
  const rightBelow = (limit: number): Scores =>
    Object.fromEntries(questions.map((question) => [`q${question}`, question < limit ? 1 : 0]));
  const limits: Readonly<Record<string, number>> = { teacher: 190, base: 0, sft: 40, ce: 50, 'kd-1': 50, 'kd-2': 100 };
  const scores = new Map(
    scoredModels(series).map((model) => [model, rightBelow(limits[model.replace(/-\d+-\d+$/, '')] ?? Number.NaN)]),
  );
  const { rows, details, notes } = resultOf(series, scores);
  expect(details).toMatchObject({ teacher: 95, base: 0, seeds: [1, 2, 3] });
  expect(details.scores).toContainEqual({
    prompts: 600,
    training: 'kd-2',
    perSeed: [50, 50, 50],
    mean: 50,
    least: 50,
    most: 50,
  });
  expect(rows.map(({ ours, theirs, met }) => [ours, theirs, met])).toEqual([
    [25, 25, false],
    [50, 25, true],
    [25, 25, false],
    [50, 25, true],
  ]);
  expect(notes.at(-1)).toMatch(/^1000 prompts, T = 2: better, \+25\.0 points/);
});
