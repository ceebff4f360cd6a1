/** Weights that are joined and turned over on their way into a session, a few rows at a time. */
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { decodingWeightSource, decodingWeightState } from '../../../../engine/generation/decoding-weights.js';
import type { NumbersSource } from '../../../../engine/runners/runner.js';
import { sizeOf } from '../../../../engine/tracing/tensor-spec.js';
import { configurations } from '../../../support/configurations.js';

/** One of its matrices is read in several parts. */
const config = { ...configurations.qwen3, intermediateSize: 80_000 };
const tensors = expectedTensors(config);
const shapeOf = (name: string): readonly number[] => tensors.get(name) ?? [];
const whole = (name: string): Float32Array =>
  new Float32Array(sizeOf(shapeOf(name))).map((_, index) => ((index + name.length * 7) % 9973) / 64);

const byRows: NumbersSource = (name, begin, count, into) => {
  const width = sizeOf(shapeOf(name).slice(1));
  const rows = whole(name).subarray(begin * width, (begin + count) * width);
  if (into?.length !== rows.length) return rows.slice();
  into.set(rows);
  return into;
};

const turned = (values: Float32Array, rows: number, columns: number): Float32Array =>
  new Float32Array(values.length).map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? 0);

const layer = 'model.layers.0.';
const gate = `${layer}mlp.gate_proj.weight`;
const heads = ['q', 'k', 'v'].map((kind) => `${layer}self_attn.${kind}_proj.weight`);

it.each<[string, NumbersSource]>([
  ['gives the rows that it is asked for', byRows],
  ['knows no rows and gives everything', (name) => whole(name)],
])('are those of a source that %s', async (_, weights) => {
  const source = decodingWeightSource(config, weights);
  const [rows = 0, columns = 0] = shapeOf(gate);
  expect(rows * columns * 4).toBeGreaterThan(4 * 1024 * 1024);
  expect(await source(`turned/${gate}`, 0, columns)).toEqual(turned(whole(gate), rows, columns));

  const joined = heads.flatMap((name) => [...whole(name)]);
  const [, width = 1] = shapeOf(heads[0] ?? '');
  const name = `turned/${layer}self_attn.weight`;
  const into = new Float32Array(joined.length);
  expect(await source(name, 0, width, into)).toBe(into);
  expect(into).toEqual(turned(Float32Array.from(joined), joined.length / width, width));
  expect(decodingWeightState(config)[name]?.shape).toEqual([width, joined.length / width]);
});

it('that are neither joined nor turned are asked for by rows', async () => {
  const name = 'model.norm.weight';
  expect(await decodingWeightSource(config, byRows)(name, 1, 2)).toEqual(whole(name).slice(1, 3));
});

it.each([
  ['none', 0],
  ['part of a row', 1],
  ['too many', 10_000_000],
])('of a source that gives %s are refused', async (_, length) => {
  const source = decodingWeightSource(config, () => new Float32Array(length));
  await expect(source(`turned/${gate}`, 0, 1)).rejects.toThrow(`rows of ${gate}, found ${length} numbers`);
});
