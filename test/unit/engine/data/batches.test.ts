import fc from 'fast-check';
import { trainingSteps, type StreamSettings, type TrainingStep } from '../../../../engine/data/batches.js';
import type { Cursor } from '../../../../engine/data/cursor.js';
import type { SampleSource } from '../../../../engine/data/samples.js';
import { openShards } from '../../../../engine/data/shard-reader.js';
import { writeShards } from '../../../../engine/data/shards.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { byteEncoder, chat } from './byte-encoder.js';
import { memorySamples } from './memory-samples.js';

async function stepsOf(source: SampleSource, settings: StreamSettings, cursor?: unknown): Promise<TrainingStep[]> {
  const steps: TrainingStep[] = [];
  for await (const step of trainingSteps(source, settings, cursor)) steps.push(step);
  return steps;
}

const stored = (cursor: Cursor): unknown => JSON.parse(JSON.stringify(cursor));

/** What is left to do from here on, byte for byte: every micro-batch with the counts of its step. */
const remaining = (steps: readonly TrainingStep[]) =>
  steps.flatMap(({ microBatches, firstMicroBatch, tokens, trainedTokens }) =>
    microBatches.slice(firstMicroBatch).map((batch) => ({ ...batch, step: { tokens, trainedTokens } })),
  );

const settings: StreamSettings = { seed: 1, epochs: 2, rows: 2, columns: 16, microBatches: 3, window: 4 };
const lengths = fc.array(fc.integer({ min: 2, max: 16 }), { minLength: 1, maxLength: 30 });
const anySettings = fc.record({
  seed: fc.maxSafeNat(),
  epochs: fc.integer({ min: 1, max: 4 }),
  rows: fc.integer({ min: 1, max: 3 }),
  columns: fc.integer({ min: 16, max: 40 }),
  microBatches: fc.integer({ min: 1, max: 4 }),
  window: fc.integer({ min: 1, max: 70 }),
});

describe('the stream of training steps', () => {
  test('stopped after any micro-batch and resumed from its cursor as JSON, it goes on byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, anySettings, fc.nat(), fc.nat(), async (each, given, stepPick, donePick) => {
        const steps = await stepsOf(memorySamples(each), given);
        const stopped = stepPick % steps.length;
        const step = steps[stopped]!;
        const done = donePick % (step.microBatches.length + 1);
        const resumed = await stepsOf(memorySamples(each), given, stored(step.cursorAfter(done)));
        const undisturbed = remaining(steps.slice(stopped)).slice(done);
        expect(remaining(resumed)).toEqual(undisturbed);
        expect(resumed.at(-1)?.cursorAfter(99) ?? steps.at(-1)?.cursorAfter(99)).toEqual(steps.at(-1)?.cursorAfter(99));
      }),
      { numRuns: 200, seed: 8 },
    );
  });

  test('resumed after every micro-batch, it is the same stream', async () => {
    const source = memorySamples([3, 16, 9, 2, 7, 7, 12, 5, 4, 16, 2]);
    const undisturbed = remaining(await stepsOf(source, settings));
    const found: unknown[] = [];
    let cursor: unknown;
    for (;;) {
      const next = await trainingSteps(source, settings, cursor).next();
      if (next.done === true) break;
      const { firstMicroBatch, cursorAfter } = next.value;
      found.push(...remaining([next.value]).slice(0, 1));
      cursor = stored(cursorAfter(firstMicroBatch + 1));
    }
    expect(found).toEqual(undisturbed);
  });

  test('each epoch gives every sample once, in another order, and the counts are those of its batches', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, anySettings, async (each, given) => {
        const steps = await stepsOf(memorySamples(each), given);
        const ids = steps.flatMap((step) =>
          step.microBatches.flatMap((batch) => batch.placements.map(({ sample }) => sample.id)),
        );
        const expected = each.flatMap((_, number) => Array.from({ length: given.epochs }, () => `sample ${number}`));
        expect(ids.toSorted()).toEqual(expected.toSorted());
        for (const { microBatches, tokens, trainedTokens, paddingShare } of steps) {
          const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
          const used = microBatches
            .flatMap((batch) => Array.from(batch.segments))
            .filter((segment) => segment > 0).length;
          expect(tokens).toBe(used);
          expect(trainedTokens).toBe(sum(microBatches.map(({ weights }) => sum(weights))));
          expect(paddingShare).toBeCloseTo(1 - used / (microBatches.length * given.rows * given.columns), 12);
        }
        for (const step of steps.slice(0, -1)) expect(step.microBatches).toHaveLength(given.microBatches);
      }),
      { numRuns: 100, seed: 9 },
    );
    const orderIn = async (seed: number) =>
      remaining(await stepsOf(memorySamples(Array.from({ length: 20 }, () => 16)), { ...settings, seed })).flatMap(
        (batch) => batch.placements.map(({ sample }) => sample.id),
      );
    const order = await orderIn(1);
    expect(order.slice(0, 20)).not.toEqual(order.slice(20));
    expect(order).not.toEqual(await orderIn(2));
  });

  test('it gives from shards on disk, opened anew, what it gave before', async () => {
    const directory = temporaryDirectory();
    const conversations = Array.from({ length: 40 }, (_, index) =>
      chat(`row ${index}`, 'q'.repeat(1 + (index % 9)), `answer ${index}`),
    );
    await writeShards(directory, conversations, byteEncoder(), { maximumTokens: 32, shardBytes: 500 });
    const given = { seed: 4, epochs: 3, rows: 2, columns: 48, microBatches: 2 };
    const first = await openShards(directory);
    const steps = await stepsOf(first, given);
    await first.close();
    const again = await openShards(directory);
    const resumed = await stepsOf(again, given, stored(steps[3]!.cursorAfter(1)));
    await again.close();
    expect(resumed[0]?.firstMicroBatch).toBe(1);
    expect(remaining(resumed)).toEqual(remaining(steps.slice(3)).slice(1));
  });

  test('the shape of batches may change between steps: no sample of the epoch is lost or doubled', async () => {
    const source = memorySamples(Array.from({ length: 30 }, (_, index) => 2 + (index % 15)));
    const [first] = await stepsOf(source, { ...settings, epochs: 1, window: 20 });
    const cursor = stored(first!.cursorAfter(3));
    const rest = await stepsOf(
      source,
      { seed: 1, epochs: 1, rows: 1, columns: 40, microBatches: 1, window: 2 },
      cursor,
    );
    const ids = [first!, ...rest].flatMap((step) =>
      step.microBatches.flatMap((batch) => batch.placements.map(({ sample }) => sample.id)),
    );
    expect(new Set(ids).size).toBe(30);
    expect(ids).toHaveLength(30);
  });
});

describe('settings and cursors that cannot be', () => {
  const source = memorySamples([3, 16, 9, 2, 7, 7, 12, 5, 4, 16, 2]);

  test.each([
    ['a row shorter than the longest sample', { columns: 15 }],
    ['no epoch', { epochs: 0 }],
    ['half a row', { rows: 0.5 }],
    ['a window of none', { window: 0 }],
    ['a negative seed', { seed: -1 }],
  ])('%s is refused', async (_, change) => {
    await expect(stepsOf(source, { ...settings, ...change })).rejects.toMatchObject({
      code: 'training-setting-invalid',
    });
  });

  test('a cursor of other data, of another seed, out of range, or of another shape within a step is refused', async () => {
    const [step] = await stepsOf(source, settings);
    const cursor = step!.cursorAfter(1);
    const refused = async (changed: unknown, given = settings) =>
      expect(stepsOf(source, given, changed)).rejects.toMatchObject({ code: 'cursor-invalid' });
    await refused({ ...cursor, data: 'other' });
    await refused(cursor, { ...settings, seed: 2 });
    await refused(cursor, { ...settings, rows: 3 });
    await refused({ ...cursor, position: 11 });
    await refused({ ...cursor, window: [10_000] });
    await refused({ ...cursor, position: 5, window: [3, 3] });
    await refused({ ...cursor, microBatch: 3 });
    await refused({ ...cursor, epoch: 2, window: [] });
    await refused({ ...cursor, version: 2 });
  });

  test('whatever was stored as a cursor, it gives steps or a coded error', async () => {
    const [step] = await stepsOf(source, settings);
    const fields = Object.keys(step!.cursorAfter(1));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...fields), fc.oneof(fc.jsonValue(), fc.nat(12))),
        async (changes) => {
          const outcome = await stepsOf(source, settings, { ...step!.cursorAfter(1), ...changes }).catch(
            (error: unknown) => error,
          );
          expect(Array.isArray(outcome) ? 'cursor-invalid' : (outcome as { readonly code: unknown }).code).toBe(
            'cursor-invalid',
          );
        },
      ),
      { numRuns: 300, seed: 10 },
    );
  });
});
