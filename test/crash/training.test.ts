/**
 * Training killed at random moments and taken up by new processes comes out as if nothing had happened: the same model, the same
 * metrics, the same facts. Without Temporal: the trainer process, its supervision and the store.
 */
import type { Progress } from '../../config/child-protocol.js';
import { createRandom } from '../../engine/training/random.js';
import type { StageResult } from '../../storage/index.js';
import { graph, trainerPid, TrainingGround, wasm, type TrainingTask } from '../support/training-stage.js';

let ground: TrainingGround;
beforeAll(async () => {
  ground = await TrainingGround.create();
});

/** What must not depend on what happened on the way. */
const essence = ({ outcome: { outputs, facts, reproducible } }: StageResult) => ({
  model: outputs['model']?.digest,
  metrics: outputs['metrics']?.digest,
  facts,
  reproducible,
});

/** How a disturbed attempt ended, and what was durable when it began and when it ended. */
interface End {
  readonly code: unknown;
  readonly begun: number;
  readonly durable: number;
}

/** Starts the stage and disturbs it some time after it has made something of its own durable. */
async function disturb(task: TrainingTask, afterMs: number, how: (abort: AbortController) => void): Promise<End> {
  const reports: Progress[] = [];
  const abort = new AbortController();
  const durableOf = (progress: Progress | undefined): number => progress?.durable?.step ?? 0;
  let timer: NodeJS.Timeout | undefined;
  const onProgress = (progress: Progress): void => {
    if (progress.phase !== 'train') return;
    reports.push(progress);
    if (durableOf(progress) > durableOf(reports[0])) timer ??= setTimeout(() => how(abort), afterMs);
  };
  const code = await ground.train(task, { signal: abort.signal, onProgress }).then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );
  clearTimeout(timer);
  return { code, begun: durableOf(reports[0]), durable: durableOf(reports.at(-1)) };
}

const kill = (): void => void process.kill(trainerPid(), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

/** Steps of many micro-batches: most checkpoints lie within a step. */
const cases = [
  ['a fine-tune on TensorFlow', 'fine-tune', graph, { steps: 250, microBatches: 6 }],
  ['a distillation on wasm', 'distill', wasm, { steps: 40, microBatches: 6 }],
] as const;

test.each(cases)('%s, killed six times and stopped twice, comes out as if nothing had happened', async (...given) => {
  const [name, uses, numerics, options] = given;
  const taskOf = (suffix: string): TrainingTask => ({
    name: `${name}, ${suffix}`,
    uses,
    numerics,
    with: options,
    inputs: { dataset: ground.dataset, model: ground.small, ...(uses === 'distill' && { teacher: ground.large }) },
  });
  const undisturbed = await ground.train(taskOf('undisturbed'));
  const random = createRandom(3, name);
  const ends: End[] = [];
  for (const how of [kill, kill, stop, kill, kill, stop, kill, kill])
    ends.push(await disturb(taskOf('disturbed'), random.integer(100), how));

  const [died, stopped] = ['child-died', 'stopped'];
  expect(ends.map(({ code }) => code)).toEqual([died, died, stopped, died, died, stopped, died, died]);
  expect(ends.some(({ begun }) => begun % 1 > 0)).toBe(true);
  for (const [index, { begun }] of ends.slice(1).entries()) expect(begun).toBeGreaterThan(ends[index]?.begun ?? 0);
  expect(essence(await ground.train(taskOf('disturbed')))).toEqual(essence(undisturbed));
});
