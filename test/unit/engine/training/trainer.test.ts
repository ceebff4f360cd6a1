import { initialWeight } from '../../../../engine/models/initialise.js';
import { trainingFlopsPerToken } from '../../../../engine/models/parameters.js';
import { tf } from '../../../../engine/tf.js';
import { teacherObjective, teacherWeights } from '../../../../engine/training/objective.js';
import { createRandom } from '../../../../engine/training/random.js';
import { learningRateAt } from '../../../../engine/training/schedule.js';
import { sampleSteps, type StepSource, type TrainingStep } from '../../../../engine/training/step-source.js';
import type { Trainer } from '../../../../engine/training/trainer.js';
import type { CapturedState } from '../../../../engine/training/training-state.js';
import {
  drawnTargets,
  eventsOf,
  tinyConfig,
  tinyOptions,
  tinySamples,
  tinyStream,
  tinyTrainer,
} from '../../../support/tiny-run.js';

const json = <Value>(value: Value): unknown => JSON.parse(JSON.stringify(value));

/** Bytes, since NaN and −0 count. */
const bytesOf = ({ progress, tensors }: CapturedState) => ({
  progress: json(progress),
  tensors: Object.fromEntries(
    Object.entries(tensors).map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    ]),
  ),
});

const without = <Value>(record: Readonly<Record<string, Value>>, name: string): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== name));

/** A source whose steps are changed on their way. */
const changedSteps = (change: (step: TrainingStep, number: number) => TrainingStep): StepSource => {
  const plain = sampleSteps(tinySamples(), tinyStream);
  let number = 0;
  return {
    ...plain,
    async *steps(cursor, random) {
      for await (const step of plain.steps(cursor, random)) yield change(step, ++number);
    },
  };
};

const withWeights = (step: TrainingStep, value: number, microBatch: number): TrainingStep => ({
  ...step,
  microBatches: step.microBatches.map((batch, index) =>
    index === microBatch ? { ...batch, weights: new Float32Array(batch.weights.length).fill(value) } : batch,
  ),
});

describe('a training run', () => {
  let trainer: Trainer;
  afterEach(() => trainer.dispose());

  test('its loss falls, and each event says what happened: step, rate, norm, tokens without padding, share, memory', async () => {
    trainer = await tinyTrainer({ peakFlops: 1e9 });
    const events = await eventsOf(trainer, 24);
    expect(events.map(({ kind, step }) => `${kind} ${step}`).slice(0, 4)).toEqual([
      'micro-batch 0',
      'step 1',
      'micro-batch 1',
      'step 2',
    ]);
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event] : []));
    expect(steps).toHaveLength(24);
    expect(steps[0]!.loss).toBeGreaterThan(3);
    expect(steps.at(-1)!.loss).toBeLessThan(1.5);
    const { schedule, source } = tinyOptions();
    let index = 0;
    for await (const { microBatches } of source.steps(null, createRandom(0, 'unused'))) {
      const event = steps[index];
      if (event === undefined) break;
      expect(event.tokens).toBe(microBatches.reduce((sum, { tokens }) => sum + tokens, 0));
      expect(event.learningRate).toBe(learningRateAt(schedule, index));
      expect(event.gradientNorm).toBeGreaterThan(0);
      expect(event.tokensPerSecond).toBeGreaterThan(0);
      const flops = event.tokensPerSecond * trainingFlopsPerToken(tinyConfig, 16);
      expect(event.shareOfPeak).toBeCloseTo(flops / 1e9, 12);
      expect(event.residentBytes).toBeGreaterThan(1e7);
      index += 1;
    }
  });

  test('it ends where the data end, with a last step of fewer micro-batches', async () => {
    trainer = await tinyTrainer({ source: sampleSteps(tinySamples(3), { ...tinyStream, epochs: 1 }) });
    const events = await eventsOf(trainer, 100);
    expect(events.map(({ kind }) => kind)).toEqual(['step']);
    expect(trainer.step).toBe(1);
    expect(await eventsOf(trainer, 100)).toEqual([]);
  });

  test('evaluation is the mean over held-out tokens, the loss of the next step, and changes nothing', async () => {
    const held = { ...tinyStream, epochs: 1, microBatches: 3 };
    trainer = await tinyTrainer({ heldOut: sampleSteps(tinySamples(), held) });
    const before = bytesOf(trainer.capture());
    const evaluation = await trainer.evaluate();
    expect(bytesOf(trainer.capture())).toEqual(before);
    expect(await trainer.evaluate()).toEqual(evaluation);
    let [sum, tokens] = [0, 0];
    const once = sampleSteps(tinySamples(), { ...tinyStream, epochs: 1 });
    const frozen = await tinyTrainer({ source: once, schedule: { kind: 'constant', peak: 0, totalSteps: 1 } });
    const counts: number[] = [];
    for await (const step of once.steps(null, createRandom(0, 'unused'))) counts.push(step.trainedTokens);
    for (const event of await eventsOf(frozen, 100)) {
      if (event.kind !== 'step') continue;
      const trained = counts[event.step - 1]!;
      sum += event.loss * trained;
      tokens += trained;
    }
    frozen.dispose();
    expect(evaluation.trainedTokens).toBe(tokens);
    expect(evaluation.loss).toBeCloseTo(sum / tokens, 5);
  });

  test('without held-out data there is nothing to evaluate', async () => {
    trainer = await tinyTrainer();
    await expect(trainer.evaluate()).rejects.toMatchObject({ code: 'training-setting-invalid' });
  });

  test('no tensor stays behind', async () => {
    trainer = await tinyTrainer();
    await eventsOf(trainer, 2);
    const before = tf.memory().numTensors;
    await eventsOf(trainer, 12);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a loss that is not finite', () => {
  test.each([0, 1])('in micro-batch %i names its step and leaves the run as it was before it', async (microBatch) => {
    const poisoned = changedSteps((step, number) => (number === 3 ? withWeights(step, NaN, microBatch) : step));
    const [trainer, undisturbed] = [await tinyTrainer({ source: poisoned }), await tinyTrainer()];
    await eventsOf(undisturbed, 2);
    await expect(eventsOf(trainer, 5)).rejects.toMatchObject({ code: 'training-diverged', details: { step: 3 } });
    expect(trainer.progress).toEqual(undisturbed.progress);
    expect(bytesOf(trainer.capture()).tensors).toEqual(bytesOf(undisturbed.capture()).tensors);
    // Held gradients are gone as well: asked again, with better data, it goes on like the other.
    await eventsOf(trainer, 5);
    await eventsOf(undisturbed, 5);
    expect(bytesOf(trainer.capture())).toEqual(bytesOf(undisturbed.capture()));
    trainer.dispose();
    undisturbed.dispose();
  });

  test.each([0, 1])('in micro-batch %i is refused although its gradient is finite', async (microBatch) => {
    const huge = changedSteps((step) => withWeights({ ...step, trainedTokens: 1e34 }, 3e38, microBatch));
    const trainer = await tinyTrainer({ source: huge });
    const before = bytesOf(trainer.capture()).tensors;
    await expect(eventsOf(trainer, 1)).rejects.toMatchObject({
      code: 'training-diverged',
      details: { step: 1, loss: 'Infinity' },
    });
    expect(bytesOf(trainer.capture()).tensors).toEqual(before);
    trainer.dispose();
  });
});

describe('states', () => {
  test('restored at any event into another run, it goes on bit for bit, random numbers and cursor included', async () => {
    const undisturbed = await tinyTrainer(drawnTargets());
    const states: CapturedState[] = [];
    for await (const _ of undisturbed.run(8)) states.push(undisturbed.capture());
    const last = bytesOf(states.at(-1)!);
    expect(last.progress).toMatchObject({ rng: { position: 8 * 2 * 32 * 5 } });
    const resumed = await tinyTrainer(drawnTargets());
    for (const state of [states[4]!, states[9]!, states[0]!, states[13]!]) {
      expect(await resumed.restore(state)).toEqual([]);
      await eventsOf(resumed, 8);
      expect(bytesOf(resumed.capture())).toEqual(last);
    }
    undisturbed.dispose();
    resumed.dispose();
  });

  test('a loop that is left in the midst of a step is gone on with', async () => {
    const [trainer, undisturbed] = [await tinyTrainer(), await tinyTrainer()];
    await eventsOf(undisturbed, 3);
    for await (const event of trainer.run(3)) if (event.kind === 'micro-batch' && event.step === 1) break;
    expect(trainer.progress.microBatch).toBe(1);
    await eventsOf(trainer, 3);
    expect(bytesOf(trainer.capture())).toEqual(bytesOf(undisturbed.capture()));
    trainer.dispose();
    undisturbed.dispose();
  });

  test('between two steps it holds no gradients, within one it does', async () => {
    const trainer = await tinyTrainer();
    const kinds: boolean[] = [];
    for await (const event of trainer.run(2))
      kinds.push(
        Object.keys(trainer.capture().specs).some((name) => name.startsWith('accumulated/')) ===
          (event.kind === 'micro-batch'),
      );
    expect(kinds).toEqual([true, true, true, true]);
    trainer.dispose();
  });

  test('another fingerprint is named', async () => {
    const [trainer, other] = [await tinyTrainer(), await tinyTrainer({ precision: 'bfloat16' })];
    expect(await other.restore(trainer.capture())).toEqual(['precision: float32 → bfloat16']);
    trainer.dispose();
    other.dispose();
  });

  test.each<[string, (state: CapturedState) => CapturedState]>([
    ['a missing tensor', ({ specs, ...state }) => ({ ...state, specs: without(specs, 'model.norm.weight') })],
    ['an unknown tensor', ({ specs, ...state }) => ({ ...state, specs: { ...specs, x: specs['model.norm.weight']! } })],
    [
      'a tensor of another shape',
      ({ specs, ...state }) => ({
        ...state,
        specs: { ...specs, 'model.norm.weight': { shape: [17], dtype: 'float32' } },
      }),
    ],
    [
      'a step under way without its gradients',
      ({ progress, ...state }) => ({ ...state, progress: { ...progress, microBatch: 1 } }),
    ],
  ])('%s is refused', async (_, change) => {
    const trainer = await tinyTrainer();
    await expect(trainer.restore(change(trainer.capture()))).rejects.toMatchObject({ code: 'training-state-invalid' });
    trainer.dispose();
  });

  test('a cursor that belongs to another moment is refused', async () => {
    const trainer = await tinyTrainer();
    for await (const event of trainer.run(2)) if (event.kind === 'micro-batch') break;
    const state = trainer.capture();
    await trainer.restore({ ...state, progress: { ...state.progress, cursor: null } });
    await expect(eventsOf(trainer, 2)).rejects.toMatchObject({ code: 'training-state-invalid' });
    trainer.dispose();
  });
});

const distillation = {
  divergence: { kind: 'forward-kl' },
  temperature: 2,
  timesTemperatureSquared: true,
  crossEntropyShare: 0.5,
} as const;

describe('a teacher in the same program', () => {
  test('of other size, with more tokens, is learned from and stays as it is; it is no part of a state', async () => {
    const teacher = { ...tinyConfig, layers: 1, hiddenSize: 24, vocabularySize: 40 };
    const objective = teacherObjective(distillation, teacher);
    const trainer = await tinyTrainer({ objective });
    const weights = (name: string) => initialWeight(teacher, name, { seed: 9, standardDeviation: 0.3 });
    await trainer.loadFrozen(teacherWeights(weights));
    const steps = (await eventsOf(trainer, 12)).flatMap((event) => (event.kind === 'step' ? [event] : []));
    expect(steps.at(-1)!.parts['divergence']).toBeLessThan(steps[0]!.parts['divergence']!);
    for (const { loss, parts } of steps)
      expect(loss).toBeCloseTo(0.5 * parts['crossEntropy']! + 0.5 * 4 * parts['divergence']!, 4);
    const name = 'model.embed_tokens.weight';
    expect(trainer.read(`teacher/${name}`)).toEqual(weights(name));
    expect(Object.keys(trainer.capture().specs).filter((other) => other.startsWith('teacher/'))).toEqual([]);
    trainer.dispose();
  });
});

describe('what cannot be trained', () => {
  test.each<[string, Parameters<typeof tinyOptions>[0]]>([
    ['rows longer than the model has positions', { shape: { rows: 2, tokens: 65, microBatches: 1 } }],
    [
      'a teacher with fewer tokens than the data',
      { objective: teacherObjective(distillation, { ...tinyConfig, vocabularySize: 31 }) },
    ],
    ['no micro-batch', { shape: { rows: 2, tokens: 16, microBatches: 0 } }],
    [
      'a tokenizer with more tokens than the model',
      { source: sampleSteps(tinySamples(), { ...tinyStream, vocabularySize: 33 }) },
    ],
    [
      'held-out data of such a tokenizer',
      { heldOut: sampleSteps(tinySamples(), { ...tinyStream, vocabularySize: 33 }) },
    ],
  ])('%s', async (_, changes) => {
    await expect(tinyTrainer(changes)).rejects.toMatchObject({ code: 'training-setting-invalid' });
  });

  test.each<[string, (step: TrainingStep) => TrainingStep]>([
    ['a step in which no token is learned', (step) => ({ ...step, trainedTokens: 0 })],
    ['a step without micro-batches', (step) => ({ ...step, microBatches: [] })],
    ['a step of too many', (step) => ({ ...step, microBatches: [...step.microBatches, ...step.microBatches] })],
    [
      'a token that the model does not know',
      (step) => ({
        ...step,
        microBatches: step.microBatches.map((batch) => ({ ...batch, ids: batch.ids.map(() => 32) })),
      }),
    ],
  ])('%s', async (_, change) => {
    const trainer = await tinyTrainer({ source: changedSteps(change) });
    await expect(eventsOf(trainer, 1)).rejects.toMatchObject({ code: 'training-setting-invalid' });
    trainer.dispose();
  });
});
