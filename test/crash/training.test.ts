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

/** How a disturbed attempt ended, and the reports of its training. */
interface End {
  readonly code: unknown;
  readonly training: readonly Progress[];
}

const stepOf = ({ facts }: Progress): number => facts?.done ?? 0;

/** Starts the stage and disturbs it `afterMs` after it has trained a step and something is durable. */
async function disturb(task: TrainingTask, afterMs: number, how: (abort: AbortController) => void): Promise<End> {
  const training: Progress[] = [];
  const abort = new AbortController();
  let disturbed: Promise<void> | undefined;
  const onProgress = (progress: Progress): void => {
    if (progress.phase !== 'train') return;
    training.push(progress);
    const isUnderWay = progress.durable !== undefined && stepOf(progress) > stepOf(training[0] ?? progress);
    if (isUnderWay) disturbed ??= new Promise((done) => setTimeout(() => done(how(abort)), afterMs));
  };
  try {
    await ground.train(task, { signal: abort.signal, onProgress });
    return { code: undefined, training };
  } catch (error) {
    return { code: (error as { readonly code?: unknown }).code, training };
  }
}

const kill = (): void => void process.kill(trainerPid(), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

describe.each([
  ['a fine-tune on TensorFlow', 'fine-tune', graph, 300],
  ['a distillation on TensorFlow', 'distill', graph, 300],
  ['a fine-tune on wasm', 'fine-tune', wasm, 60],
  ['a distillation on wasm', 'distill', wasm, 40],
] as const)('%s', (name, uses, numerics, steps) => {
  const random = createRandom(3, name);
  const taskOf = (suffix: string): TrainingTask => ({
    name: `${name}, ${suffix}`,
    uses,
    numerics,
    with: { steps },
    inputs: { dataset: ground.dataset, model: ground.small, ...(uses === 'distill' && { teacher: ground.large }) },
  });

  it('killed six times and stopped twice, comes out as if nothing had happened', async () => {
    const undisturbed = await ground.train(taskOf('undisturbed'));
    const task = taskOf('disturbed');
    const ends: End[] = [];
    for (const how of [kill, stop, kill, kill, stop, kill, kill, kill]) {
      ends.push(await disturb(task, random.integer(150), how));
    }
    expect(ends.map(({ code }) => code)).toEqual([
      'child-died',
      'stopped',
      'child-died',
      'child-died',
      'stopped',
      'child-died',
      'child-died',
      'child-died',
    ]);
    const begun = ends.map(({ training }) => training[0]?.durable?.step ?? 0);
    expect(begun.at(-1)).toBeGreaterThan(0);
    expect(essence(await ground.train(task))).toEqual(essence(undisturbed));
  });
});
