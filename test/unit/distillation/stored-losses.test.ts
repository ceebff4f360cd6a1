/** From probabilities through a store of logits to a loss: the values that are published for each rule, and what a lesson refuses. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { distillOptions } from '../../../config/training-options.js';
import { LogitWriter, openLogits, type LogitRow, type NewLogitHeader } from '../../../distillation/logits/index.js';
import { storedTeacherLesson } from '../../../distillation/training/stored-teacher.js';
import type { Sample } from '../../../engine/data/samples.js';
import { openTokenizer } from '../../../engine/text/tokenizer.js';
import { tf } from '../../../engine/tf.js';
import { topKDistillation, type TopKDistillationSettings } from '../../../engine/training/losses/distillation.js';
import type { MissingMass } from '../../../engine/training/losses/missing-mass.js';
import { openObjectStore, type ArtifactRef, type ObjectStore } from '../../../storage/index.js';
import { modelDirectory } from '../../support/model-directories.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { batchOf, header } from '../../support/teacher-rows.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { valuesAndGradient } from '../engine/training/loss-cases.js';
import { describeOnBackends, greatestDifference } from '../engine/training/on-backends.js';
import { tokenLosses } from '../../support/losses.js';

let store: ObjectStore;
let stages = 0;

beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(join(temporaryDirectory(), 'store')).href, { forWriting: true });
});

afterAll(() => store.close());

const sample: Sample = { id: 'one', ids: Int32Array.from([0, 1]), trained: [{ start: 1, end: 2 }] };
const teacher = [0.5, 0.2, 0.1, 0.12, 0.08];

/** What was kept of these probabilities: the first three ids, as in the published vectors. */
async function capture(probabilities: readonly number[], of: NewLogitHeader): Promise<ArtifactRef> {
  const writer = await claim(store, stageKeyOf(`losses ${(stages += 1)}`));
  const rows = await LogitWriter.resume({ store, writer, header: of });
  const captured = probabilities.slice(0, 3).reduce((sum, p) => sum + p, 0);
  const missing = probabilities.slice(3).reduce((sum, p) => sum + p, 0);
  await rows.add({
    ...sample,
    topIds: Int32Array.from([0, 1, 2]),
    gaps: Float32Array.from(probabilities.slice(0, 3), (p) => Math.log(p / (probabilities[0] ?? 1))),
    missingLogOdds: of.temperatures.map(() => Float64Array.of(Math.log(missing / captured))),
  });
  return rows.finish();
}

const storeOf = (changes: Partial<NewLogitHeader> = {}) =>
  header({ vocabularySize: 5, k: 3, temperatures: [1], ...changes });

async function targetsOf(valueType: NewLogitHeader['valueType']) {
  const artifact = await capture(teacher, storeOf({ valueType }));
  const logits = await openLogits(store, artifact, temporaryDirectory());
  const { teacherIds, teacherLogProbabilities, teacherMissingMass } = await logits.extra(batchOf([sample]), 1);
  await logits.close();
  return () => ({
    labels_N: tf.tensor1d([1], 'int32'),
    ids_NK: tf.tensor2d(teacherIds.subarray(0, 3), [1, 3], 'int32'),
    logProbabilities_NK: tf.tensor2d(teacherLogProbabilities.subarray(0, 3), [1, 3]),
    missingMass_N: tf.tensor1d(teacherMissingMass.subarray(0, 1)),
  });
}

const rules: MissingMass[] = ['truncate', 'tail-bucket', 'renormalise'];

function valueOf(missingMass: MissingMass, q: readonly number[], given: Awaited<ReturnType<typeof targetsOf>>): number {
  const plain = { temperature: 1, timesTemperatureSquared: true, crossEntropyShare: 0 };
  const loss = topKDistillation({ ...plain, divergence: { kind: 'forward-kl' }, missingMass });
  return tokenLosses(loss, tf.tensor2d([q.map(Math.log)]), given()).values_N.dataSync()[0] ?? Number.NaN;
}

describeOnBackends('the loss against what was stored', () => {
  const vectors: [readonly number[], readonly number[]][] = [
    [[0.55, 0.25, 0.12, 0.05, 0.03], [-0.1105, 0.0727, 0.085]],
    [[0.6, 0.25, 0.1, 0.03, 0.02], [-0.1358, 0.1415, 0.0534]],
    [[0.45, 0.15, 0.1, 0.2, 0.1], [0.1102, 0.0291, 0.3609]],
    [teacher, [0, 0, 0.2231]],
  ]; // prettier-ignore

  test.each(vectors)('has the published values for q = %j', async (q, values) => {
    const given = await targetsOf('float32');
    rules.forEach((rule, index) => expect(Math.abs(valueOf(rule, q, given) - values[index]!)).toBeLessThan(6e-5));
  });

  test.each(vectors)('has them within a thousandth from float16, for q = %j', async (q, values) => {
    const given = await targetsOf('float16');
    rules.forEach((rule, index) => expect(Math.abs(valueOf(rule, q, given) - values[index]!)).toBeLessThan(1e-3));
  });
});

describeOnBackends('a student that lacks ids which are among the most probable of the teacher', () => {
  const oddsOf = (missing: number, kept: number) => [Float64Array.of(Math.log(missing / kept))];
  const gapsTo = (greatest: number, ...others: number[]) =>
    Float32Array.from([greatest, ...others], (p) => Math.log(p / greatest));
  const ofTeacher = {
    ...sample,
    topIds: Int32Array.from([7, 0, 6, 3]),
    gaps: gapsTo(0.45, 0.2, 0.15, 0.1),
    missingLogOdds: oddsOf(0.1, 0.9),
  };
  /** As an endpoint gives it that has more ids than the student: what stands for the cut ones was never seen. */
  const ofEndpoint = {
    ...sample,
    topIds: Int32Array.from([0, 3, 1, 2]),
    gaps: gapsTo(0.2, 0.1, 0, 0),
    missingLogOdds: oddsOf(0.1, 0.3),
  };
  const rowsFrom = async (row: LogitRow, of: NewLogitHeader, vocabularySize: number, asked = sample) => {
    const writer = await claim(store, stageKeyOf(`losses ${(stages += 1)}`));
    const rows = await LogitWriter.resume({ store, writer, header: of });
    await rows.add(row);
    const logits = await openLogits(store, await rows.finish(), temporaryDirectory(), { vocabularySize });
    try {
      return await logits.extra(batchOf([asked]), of.temperatures[0] ?? 1);
    } finally {
      await logits.close();
    }
  };
  const targetsFrom = async (row: LogitRow, of: NewLogitHeader, vocabularySize: number) => {
    const found = await rowsFrom(row, of, vocabularySize);
    return {
      labels_N: tf.tensor1d([1], 'int32'),
      ids_NK: tf.tensor2d(found.teacherIds.subarray(0, 4), [1, 4], 'int32'),
      logProbabilities_NK: tf.tensor2d(found.teacherLogProbabilities.subarray(0, 4), [1, 4]),
      missingMass_N: tf.tensor1d(found.teacherMissingMass.subarray(0, 1)),
    };
  };
  /** The two ids that it has, scaled to 1 with what is missing. */
  const alone = () => ({
    labels_N: tf.tensor1d([1], 'int32'),
    ids_NK: tf.tensor2d([[0, 3]], undefined, 'int32'),
    logProbabilities_NK: tf.tensor2d([[Math.log(0.2 / 0.4), Math.log(0.1 / 0.4)]]),
    missingMass_N: tf.tensor1d([0.1 / 0.4]),
  });
  const settings: Pick<TopKDistillationSettings, 'divergence' | 'missingMass'>[] = [
    { divergence: { kind: 'reverse-kl' } },
    ...(['tail-bucket', 'truncate', 'renormalise', 'residual-to-label'] as const).flatMap((missingMass) => [
      { divergence: { kind: 'forward-kl' } as const, missingMass },
      { divergence: { kind: 'jensen-shannon', beta: 0.5 } as const, missingMass },
    ]),
  ];

  test.each([
    ['when it is read', ofTeacher, 8, 6],
    ['when it is read, and has no more ids than are kept', ofTeacher, 8, 4],
    ['when it was captured', ofEndpoint, 6, 6],
    ['when it was captured, with no more ids than are kept', ofEndpoint, 4, 4],
  ] as const)(
    'learns from those that it has, and from the rest, by every divergence: the row is cut %s',
    async (_, row, vocabularySize, students) => {
      const targets = await targetsFrom(row, storeOf({ vocabularySize, k: 4 }), students);
      const logits = tf.tensor2d([[0.3, -1, 0.2, 2, 0, 1].slice(0, students)]);
      for (const setting of settings) {
        const loss = topKDistillation({
          temperature: 1,
          timesTemperatureSquared: true,
          crossEntropyShare: 0,
          ...setting,
        });
        const [found, expected] = [targets, alone()].map((given) => valuesAndGradient(loss, logits, given));
        expect(greatestDifference(found!.values, [...expected!.values.dataSync()])).toBeLessThan(1e-5);
        expect(greatestDifference(found!.gradient, [...expected!.gradient.dataSync()])).toBeLessThan(1e-5);
        expect(expected!.values.dataSync().every((value) => Math.abs(value) < 2)).toBe(true);
      }
    },
  );

  test('is told to capture again where it has none of them', async () => {
    const none = { ...ofTeacher, topIds: Int32Array.from([7, 6, 5, 4]) };
    await expect(targetsFrom(none, storeOf({ vocabularySize: 8, k: 4 }), 4)).rejects.toMatchObject({
      code: 'logits-invalid',
      message: expect.stringContaining('position 0'),
    });
  });

  test('is not told so of a position at which nothing is learned: that one stays an empty row', async () => {
    const ids = Int32Array.from([0, 1, 2]);
    const two = {
      id: 'two',
      ids,
      topIds: Int32Array.from([7, 6, 5, 4, 7, 0, 6, 3]),
      gaps: Float32Array.from([...ofTeacher.gaps, ...ofTeacher.gaps]),
      missingLogOdds: [Float64Array.from([0.1, 0.1], (missing) => Math.log(missing / 0.9))],
    };
    const of = storeOf({ vocabularySize: 8, k: 4 });
    const asked = { id: 'two', ids, trained: [{ start: 2, end: 3 }] };
    const found = await rowsFrom(two, of, 4, asked);
    expect(found.teacherIds.subarray(0, 4)).toEqual(Int32Array.of(0, 1, 2, 3));
    expect(found.teacherLogProbabilities.subarray(0, 4).every((log) => Number.isFinite(log))).toBe(true);
    expect(found.teacherMissingMass[1]).toBeCloseTo(0.25, 6);
    await expect(rowsFrom(two, of, 4, { ...asked, trained: [{ start: 1, end: 3 }] })).rejects.toMatchObject({
      code: 'logits-invalid',
    });
  });

  test('has some of them though their mass is less than the least number, as at a low temperature', async () => {
    const cold = { ...ofTeacher, missingLogOdds: [Float64Array.of(-900)] };
    const found = await rowsFrom(cold, storeOf({ vocabularySize: 8, k: 4, temperatures: [0.001] }), 4);
    const [, first, , other] = found.teacherLogProbabilities;
    expect([first, other]).toEqual([expect.closeTo(0, 5), expect.closeTo(Math.log(0.1 / 0.2) / 0.001, 2)]);
    expect(found.teacherMissingMass[0]).toBeLessThan(1e-30);
  });
});

describe('a lesson of captured logits', () => {
  const lessonFrom = async (of: NewLogitHeader, options: object = {}) =>
    storedTeacherLesson(distillOptions.parse(options), await capture(teacher, of), {
      store,
      inputs: {},
      fetch: () => Promise.reject(new Error('a lesson of logits needs no model')),
      tokenizer: await openTokenizer(modelDirectory()),
      vocabularySize: 5,
      cacheDirectory: temporaryDirectory(),
      alive: () => undefined,
    });
  const ownTokenizer = async () => (await openTokenizer(modelDirectory())).digest;

  it('is refused for another tokenizer (teacher-mismatch), and for a temperature that was not captured (logits-invalid)', async () => {
    const of = storeOf({ tokenizerDigest: await ownTokenizer() });
    await expect(lessonFrom(storeOf())).rejects.toMatchObject({ code: 'teacher-mismatch', retryable: false });
    await expect(lessonFrom(of, { temperature: 3 })).rejects.toMatchObject({
      code: 'logits-invalid',
      retryable: false,
    });
    await (await lessonFrom(of, { temperature: 1 })).close();
  });

  it('says before the training which samples it lacks, and how many', async () => {
    const { confirm, close } = await lessonFrom(storeOf({ tokenizerDigest: await ownTokenizer() }), { temperature: 1 });
    const samples = (all: readonly Sample[]) => ({
      samples: all.length,
      read: (n: number) => Promise.resolve(all[n]!),
    });
    await confirm?.(samples([sample, sample]));
    const others = [sample, { ...sample, id: 'two' }, { ...sample, ids: Int32Array.from([0, 2]) }];
    await expect(confirm?.(samples(others))).rejects.toMatchObject({
      code: 'logits-invalid',
      message: expect.stringContaining('(so are 2 of 3 samples)'),
    });
    await close();
  });
});
