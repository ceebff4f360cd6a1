/** What checkpoints cost, and a training whose steps are long and never let the event loop turn: they come to be durable nevertheless. */
import { pathToFileURL } from 'node:url';
import { showsWork, type Progress } from '../../../../config/child-protocol.js';
import { Checkpoints, type DurableStep } from '../../../../distillation/training/checkpoints.js';
import { Metrics } from '../../../../distillation/training/metrics.js';
import { Report } from '../../../../distillation/training/report.js';
import { trainToEnd } from '../../../../distillation/training/train-to-end.js';
import { openObjectStore } from '../../../../storage/index.js';
import { intercept, type StoreCall } from '../../../support/intercepted-store.js';
import { claim, stageKeyOf } from '../../../support/stage.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { tinyTrainer } from '../../../support/tiny-run.js';

const microBatches = 2;
const mostSteps = 40;

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

it('steps that do not let the event loop turn do not keep a save from becoming durable', async () => {
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const writer = await claim(store, stageKeyOf('long steps'));
  const trainer = await tinyTrainer();
  const durable: DurableStep[] = [];
  const enough = new AbortController();
  const checkpoints = new Checkpoints({
    trainer,
    writer,
    microBatches,
    loseAtMostMs: 1,
    kept: { metrics: new Metrics(), resumedInexactlyAt: [] },
    onDurable: (step) => {
      durable.push(step);
      if (durable.length > 1) enough.abort(new Error('enough'));
    },
  });
  for await (const event of trainer.run(1)) if (event.kind === 'step') break;
  const startedAtMs = performance.now();
  await checkpoints.saveNow();
  // As long as several saves: a twentieth of a few steps suffices for one.
  const stepMs = 8 * (performance.now() - startedAtMs);
  const training = trainToEnd({
    trainer,
    steps: mostSteps,
    metrics: new Metrics(),
    checkpoints,
    report: new Report(() => undefined, enough.signal),
    check: () => block(stepMs),
    stop: enough.signal,
  });
  await expect(training).rejects.toThrow('enough');
  expect(durable[0]).toMatchObject({ step: 1 });
  expect(durable[1]?.step).toBeLessThan(mostSteps);
  trainer.dispose();
  await store.close();
}, 120_000);

it('what a checkpoint is said to cost, and until it is durable, begins before the state is read', async () => {
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const writer = await claim(store, stageKeyOf('slow to read'));
  const trainer = await tinyTrainer();
  const readingMs = 300;
  const capture = trainer.capture.bind(trainer);
  trainer.capture = () => {
    block(readingMs);
    return capture();
  };
  const kept = { metrics: new Metrics(), resumedInexactlyAt: [] };
  const settings = { trainer, writer, microBatches, loseAtMostMs: 60_000, kept, onDurable: () => undefined };
  const checkpoints = new Checkpoints(settings);
  for await (const event of trainer.run(1)) if (event.kind === 'step') break;
  await checkpoints.saveNow();
  const { count, blockedMs, longestUntilDurableMs } = checkpoints.costs;
  expect(count).toBe(1);
  expect(blockedMs).toBeGreaterThanOrEqual(readingMs);
  expect(longestUntilDurableMs).toBeGreaterThanOrEqual(readingMs);
  trainer.dispose();
  await store.close();
});

describe('the last save of a training', () => {
  /** A training after its first step, whose saves fail as often as told. */
  async function afterOneStep(name: string, failures: number, report?: Report) {
    const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
    let left = failures;
    const before = ({ operation, key }: StoreCall): void => {
      if (operation !== 'putIfAbsent' || !key.startsWith('checkpoints/') || left === 0) return;
      left -= 1;
      throw new Error('no space left');
    };
    const writer = await claim(intercept(store, { before }), stageKeyOf(name));
    const trainer = await tinyTrainer();
    const kept = { metrics: new Metrics(), resumedInexactlyAt: [] };
    const durable: DurableStep[] = [];
    const onDurable = durable.push.bind(durable);
    // Always due: the save before the last one is of the same moment.
    const settings = { trainer, writer, microBatches, loseAtMostMs: 0, kept, onDurable };
    const checkpoints = new Checkpoints({ ...settings, ...(report && { onPack: () => report.saving() }) });
    for await (const event of trainer.run(1)) if (event.kind === 'step') break;
    await checkpoints.consider();
    return { checkpoints, durable, store, trainer };
  }

  it('shows after each of its parts that it goes on, though the training was asked to stop', async () => {
    const stop = new AbortController();
    const told: Progress[] = [];
    const report = new Report((progress) => told.push(progress), stop.signal);
    report.begin('train', { done: 1 });
    const { checkpoints, trainer, store } = await afterOneStep('shows', 0, report);
    await checkpoints.saveNow();
    for await (const event of trainer.run(2)) if (event.kind === 'step') break;
    stop.abort();
    const before = told.at(-1);
    await checkpoints.saveNow();
    const [begun, shown] = [told.indexOf(before as Progress), told.at(-1) as Progress];
    expect(told.length - begun).toBe(2);
    expect(showsWork(before, shown)).toBe(true);
    expect(shown).toMatchObject({ phase: 'train', facts: { done: 1, savedParts: expect.any(Number) } });
    trainer.dispose();
    await store.close();
  });

  it('is made again where the one under way fails, and is durable when it returns', async () => {
    const { checkpoints, durable, store, trainer } = await afterOneStep('fails once', 1);
    await checkpoints.saveNow();
    expect(durable).toEqual([{ step: 1, fence: 1 }]);
    expect((await (await claim(store, stageKeyOf('fails once'), 2)).restore())?.step).toBe(microBatches);
    trainer.dispose();
    await store.close();
  });

  it('rejects where it fails too', async () => {
    const { checkpoints, durable, store, trainer } = await afterOneStep('fails twice', 2);
    await expect(checkpoints.saveNow()).rejects.toThrow('no space left');
    expect(durable).toEqual([]);
    await checkpoints.saveNow();
    expect(durable).toHaveLength(1);
    trainer.dispose();
    await store.close();
  });
});
