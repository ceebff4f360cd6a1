/** How a training ends that cannot go on as it was meant to, and what it leaves: by the real trainer process, without Temporal. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArtifact, readBlob, type StageResult } from '../../storage/index.js';
import { copyModel } from '../support/model-fixtures.js';
import { isAlive } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';
import { graph, trainerPid, TrainingGround, wasm, type TrainingTask } from '../support/training-stage.js';

let ground: TrainingGround;
beforeAll(async () => {
  ground = await TrainingGround.create();
});

const fineTune = (name: string, changes: Partial<TrainingTask> = {}): TrainingTask => ({
  name,
  uses: 'fine-tune',
  numerics: graph,
  inputs: { dataset: ground.dataset, model: ground.small },
  ...changes,
});

type Flags = Readonly<Record<string, string>>;

/** Trains until something is durable, then stops it; the step that was durable at the end. */
async function trainAPart(task: TrainingTask, environment: Flags = {}): Promise<number> {
  const abort = new AbortController();
  let durable = 0;
  const end = ground.train(task, {
    environment,
    signal: abort.signal,
    onProgress: (progress) => {
      durable = progress.durable?.step ?? durable;
      if (progress.durable && progress.phase === 'train') abort.abort(new Error('stopped'));
    },
  });
  await expect(end).rejects.toThrow('stopped');
  return durable;
}

describe('a checkpoint of a machine that computes other bits', () => {
  const oneThread = { ...graph, threads: 1 };

  it('is left to another machine where the plan says wait', async () => {
    const task = fineTune('waits', { with: { onDifferentMachine: 'wait' } });
    await trainAPart(task);
    await expect(ground.train({ ...task, numerics: oneThread })).rejects.toMatchObject({
      code: 'machine-differs',
      message: expect.stringContaining('threads: 2 → 1'),
    });
    expect((await ground.train(task)).outcome).toMatchObject({ reproducible: true });
  });

  it('is gone on from otherwise, and all that comes out says where', async () => {
    const task = fineTune('continues', { with: { microBatches: 1 } });
    const step = await trainAPart(task);
    const { outcome } = await ground.train({ ...task, numerics: oneThread });
    expect(outcome).toMatchObject({ reproducible: false, facts: { steps: 120, resumedInexactlyAt: [step] } });
    const artifacts = Object.values(outcome.outputs);
    expect(artifacts.map(({ kind }) => kind).sort()).toEqual(['metrics', 'model']);
    for (const artifact of artifacts) {
      expect(artifact).toMatchObject({ resumedInexactlyAt: [step] });
      expect((await readArtifact(ground.store, artifact)).meta).toMatchObject({ resumedInexactlyAt: [step] });
    }
  });
});

describe('a trainer that stands still, as in a machine that is frozen, is ended by the limit of its phase', () => {
  const freeze = (): number => {
    const pid = trainerPid();
    process.kill(pid, 'SIGSTOP');
    return pid;
  };

  it('while it starts', async () => {
    const end = ground.train(fineTune('never starts'), { silenceLimitsMs: { start: 1500 } });
    const frozen = freeze();
    const message = expect.stringContaining('within 1.5 s in phase "start"');
    await expect(end).rejects.toMatchObject({ code: 'child-silent', message });
    expect(isAlive(frozen)).toBe(false);
  });

  it('while it trains', async () => {
    let frozen: number | undefined;
    const end = ground.train(fineTune('stands still', { with: { steps: 100_000, epochs: 10_000 } }), {
      silenceLimitsMs: { train: 2500 },
      onProgress: ({ phase }) => {
        if (phase === 'train') frozen ??= freeze();
      },
    });
    const message = expect.stringContaining('within 2.5 s in phase "train"');
    await expect(end).rejects.toMatchObject({ code: 'child-silent', message });
    expect(isAlive(frozen ?? process.pid)).toBe(false);
  });
});

describe('the flags of TensorFlow that a checkpoint was made under', () => {
  const waiting = (name: string): TrainingTask => fineTune(name, { with: { onDifferentMachine: 'wait' } });

  it('are set by the process that goes on from it, whose worker has others, and the bits are those of one process', async () => {
    const environment = { TF_ENABLE_ONEDNN_OPTS: '0', NVIDIA_TF32_OVERRIDE: '0' };
    const undisturbed = await ground.train(waiting('own flags'), { environment });
    await trainAPart(waiting('recorded flags'), environment);
    const { outcome } = await ground.train(waiting('recorded flags'));
    expect(outcome).toMatchObject({ reproducible: true, outputs: undisturbed.outcome.outputs });
  });

  it('are told where they cannot be set, since they name a place of another machine', async () => {
    const flag = '--xla_gpu_cuda_data_dir=/of/another/machine';
    await trainAPart(waiting('flags of a place'), { XLA_FLAGS: flag });
    await expect(ground.train(waiting('flags of a place'))).rejects.toMatchObject({
      code: 'machine-differs',
      message: expect.stringContaining(`XLA_FLAGS: ${flag} → undefined`),
    });
  });
});

describe('a training fails with a code', () => {
  it('when its numbers are no numbers any more', async () => {
    const directory = await copyModel('qwen3-qknorm', temporaryDirectory());
    const weights = join(directory, 'model.safetensors');
    const bytes = await readFile(weights);
    await writeFile(weights, bytes.fill(0xff, bytes.length - 64));
    const model = await ground.storeModel(directory);
    await expect(
      ground.train(fineTune('diverges', { inputs: { dataset: ground.dataset, model } })),
    ).rejects.toMatchObject({ code: 'training-diverged', retryable: false, details: { step: 1 } });
  });

  it.each([
    ['another release of TensorFlow', { ...graph, tensorflow: '2.20.0' }, 'expected TensorFlow 2.20.0, found 2.21.0'],
    ['XLA on wasm', { ...wasm, xla: true }, 'expected XLA'],
  ])('when the worker cannot compute as the plan says: %s', async (name, numerics, message) => {
    await expect(ground.train(fineTune(name, { numerics }))).rejects.toMatchObject({
      code: 'numerics-unavailable',
      message: expect.stringContaining(message),
    });
  });
});

describe('the loss of a step', () => {
  const losses = async ({ outcome }: StageResult): Promise<number[]> => {
    const metrics = outcome.outputs['metrics'];
    const [part] = metrics ? (await readArtifact(ground.store, metrics)).parts : [];
    if (!part) throw new Error('expected metrics');
    const rows = Buffer.from(await readBlob(ground.store, part))
      .toString()
      .trimEnd()
      .split('\n');
    return rows.map((row) => (JSON.parse(row) as { readonly loss: number }).loss);
  };

  it('does not depend on how its rows are cut into micro-batches', async () => {
    const task = (rows: number, microBatches: number): TrainingTask =>
      fineTune(`${rows} rows, ${microBatches} micro-batches`, { with: { rows, microBatches, steps: 12 } });
    const whole = await losses(await ground.train(task(8, 1)));
    const cut = await losses(await ground.train(task(1, 8)));
    expect(whole).toHaveLength(12);
    for (const [step, loss] of whole.entries()) expect(cut[step]).toBeCloseTo(loss, 3);
  });
});
