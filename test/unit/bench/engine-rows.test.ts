/** What the bench says of its measurements: rows, void rows and rows that are missing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groups, type Group } from '../../../bench/engine-groups.js';
import type { Measurement } from '../../../bench/engine-measurement.js';
import { judge, type Measured } from '../../../bench/engine-rows.js';
import { lacksBfloat16 } from '../../../bench/processor.js';
import type { Row } from '../../../bench/report.js';

const mebibyte = 2 ** 20;

const measurement = (content: Partial<Measurement>): Measurement => ({
  firstMs: 500,
  bestMs: 100,
  medianMs: 110,
  idleBytes: 50 * mebibyte,
  peakBytes: 250 * mebibyte,
  ...content,
});
const losses = [8.5, 8.25, 8];

const group: Group = {
  ...groups[0]!,
  work: 'a step',
  tokens: 1000,
  contestants: {},
  goals: [],
};
const speed = { against: 'peer', what: 'speed', goal: 1.2 } as const;
const memory = { against: 'peer', what: 'memory', goal: 0.5 } as const;
const measured = (rounds: Readonly<Record<string, Measured>>) => new Map(Object.entries(rounds));
const verdict = (ours: readonly Partial<Measurement>[], theirs: readonly Partial<Measurement>[]) =>
  judge(group, speed, measured({ ours: ours.map(measurement), peer: theirs.map(measurement) }));

test('the best round counts; a ratio is ours over theirs, and a speed is to be at least so much', () => {
  const ours = [measurement({ losses, bestMs: 100 }), measurement({ losses, bestMs: 80 })];
  const judged = (theirMs: number) =>
    judge(group, speed, measured({ ours, peer: [measurement({ losses, bestMs: theirMs })] }));
  expect(judged(100)).toEqual({
    row: {
      work: 'a step',
      against: 'peer',
      ours: 12500,
      theirs: 10000,
      unit: 'tokens/s',
      ratio: 1.25,
      goal: '≥ 1.2 ×',
      met: true,
    },
  });
  expect(judged(95)).toMatchObject({ row: { ratio: 1.188, met: false } });
});

test('memory is the highest over the idle process, and is to be at most so much of theirs', () => {
  const peer = [measurement({ losses, peakBytes: 450 * mebibyte })];
  const judged = (bytes: number) =>
    judge(group, memory, measured({ ours: [measurement({ losses, peakBytes: bytes })], peer }));
  expect(judged(250 * mebibyte)).toMatchObject({
    row: { ours: 200, theirs: 400, unit: 'MiB', ratio: 0.5, goal: '≤ 0.5 ×', met: true },
  });
  expect(judged(290 * mebibyte)).toMatchObject({ row: { ours: 240, ratio: 0.6, met: false } });
});

test('a first step is held against its limit in seconds, compiling included', () => {
  const judged = (firstMs: number) =>
    judge(
      group,
      { ours: 'graph', what: 'first step', goal: 8 },
      measured({ graph: [measurement({ firstMs, compileMs: 1000 })] }),
    );
  expect(judged(3000)).toMatchObject({ row: { ours: 4, theirs: 8, ratio: 0.5, goal: '≤ 8 s', met: true } });
  expect(judged(7080)).toMatchObject({ row: { ours: 8.08, ratio: 1.01, met: false } });
});

test.each([
  ['the last loss', [{ losses }], [{ losses: [8.5, 8.25, 8.0011] }], 'the losses of step 3 are 8.00000 and 8.00110'],
  ['an earlier loss', [{ losses }], [{ losses: [8.5, 8.2, 8] }], 'the losses of step 2 are 8.25000 and 8.20000'],
  ['a later round', [{ losses }], [{ losses }, { losses: [8.6, 8.25, 8] }], 'step 1 are 8.50000 and 8.60000'],
  ['a later round of ours', [{ losses }, { losses: [8, 8, 8] }], [{ losses }], 'step 1 are 8.50000 and 8.00000'],
  ['the number of steps', [{ losses }], [{ losses: [8.5, 8.25] }], 'the losses of step 3 are 8.00000 and NaN'],
  ['no number', [{ losses: [Number.NaN] }], [{ losses: [Number.NaN] }], 'the losses of step 1 are NaN and NaN'],
  ['a sum', [{ sums: [-40, -50] }], [{ sums: [-40, -50.1] }], 'sequence 1 has log-probability -50 and -50.1'],
  ['tokens', [{ tokens: [[1, 2, 3]] }], [{ tokens: [[1, 2, 4]] }], '1 of 3 tokens differ'],
  ['what they tell', [{ losses }], [{ sums: [-40] }], 'nothing shows that both computed the same'],
] as const)('a row whose sides differ is void: %s', (_what, ours, theirs, why) => {
  expect(verdict(ours, theirs)).toEqual({ note: expect.stringMatching(/^void: a step, speed, peer: /) });
  expect(verdict(ours, theirs)).toEqual({ note: expect.stringContaining(why) });
});

test('what stays within the tolerances is compared', () => {
  expect(verdict([{ losses }], [{ losses: [8.5009, 8.2491, 8.0009] }])).toHaveProperty('row');
  expect(verdict([{ sums: [-40] }], [{ sums: [-40.03] }])).toHaveProperty('row');
  const tokens = Array.from({ length: 100 }, (_, index) => index);
  expect(verdict([{ tokens: [tokens] }], [{ tokens: [[...tokens.slice(0, 99), -1]] }])).toHaveProperty('row');
});

test('a row without one of its sides says why', () => {
  const ours = [measurement({ losses })];
  expect(judge(group, speed, measured({ ours, peer: { why: 'no Python' } }))).toEqual({
    note: 'not measured: a step, speed, peer: no Python',
  });
  expect(judge(group, speed, measured({ ours }))).toEqual({
    note: 'not measured: a step, speed, peer: peer did not run',
  });
});

test('bfloat16 is measured only where the processor multiplies it', () => {
  const lacking = 'this processor has neither AMX nor AVX512-bf16';
  const processors = (flags: string) => `processor\t: 0\nflags\t\t: fpu ${flags} avx512f\n\nprocessor\t: 1\n`;
  expect(lacksBfloat16(processors('avx512_bf16'))).toBeUndefined();
  expect(lacksBfloat16(processors('amx_bf16 amx_tile'))).toBeUndefined();
  expect(lacksBfloat16(processors('avx512_vnni'))).toBe(lacking);
  expect(lacksBfloat16('')).toBe(lacking);
  const bfloat16 = groups.filter(({ task }) => task.work === 'train' && task.bfloat16);
  expect(bfloat16).toHaveLength(4);
  expect(groups.filter(({ needsBfloat16 }) => needsBfloat16)).toEqual(bfloat16);
});

test('the ratio of every result that is kept is its ours over its theirs', () => {
  const directory = join(import.meta.dirname, '../../../bench/results');
  for (const file of readdirSync(directory)) {
    const { rows } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { readonly rows: readonly Row[] };
    expect(rows.length).toBeGreaterThan(0);
    for (const { ours, theirs, ratio } of rows) expect(Math.abs(ratio / (ours / theirs) - 1)).toBeLessThan(1e-3);
  }
});
