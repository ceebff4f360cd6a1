/**
 * A process that trains a tiny model: goes on from its state file, says the digest of every tensor after each event, and keeps
 * a state now and then. Its one parameter is a `TrainTask` as JSON; the settings of its libraries are in its environment.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { openTrainingState, writeTrainingState } from '../../../engine/training/state-file.js';
import type { Trainer } from '../../../engine/training/trainer.js';
import type { CapturedState } from '../../../engine/training/training-state.js';
import { drawnTargets, tinyTrainer } from '../tiny-run.js';
import { eventNumber, isKept, microBatches, type Digests, type TrainLine, type TrainTask } from '../train-task.js';

const say = (line: TrainLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const runnerOf = ({ runner, ...task }: TrainTask): Runner =>
  runner === 'wasm' ? kernelsRunner({ backend: 'wasm' }) : tensorflowRunner(task);

const digestsOf = ({ tensors }: CapturedState): Digests =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      createHash('sha256')
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest('hex'),
    ]),
  );

async function restore(trainer: Trainer, { stateFile }: TrainTask): Promise<void> {
  if (!existsSync(stateFile)) return;
  const state = await openTrainingState(stateFile);
  const differences = await trainer.restore(state);
  await state.close();
  const { step, microBatch } = state.progress;
  say({ said: 'restored', event: eventNumber(step, microBatch), differences });
}

const task: TrainTask = JSON.parse(process.argv[2] ?? '');
const { seed, xla, precision, stateFile, untilStep, pauseAt } = task;
const trainer = await tinyTrainer({
  ...drawnTargets({ seed, microBatches, window: 6 }),
  runner: runnerOf(task),
  shape: { rows: 2, tokens: 16, microBatches },
  seed,
  xla,
  precision,
});
await restore(trainer, task);
for await (const _ of trainer.run(untilStep)) {
  const state = trainer.capture();
  const { progress } = state;
  const event = eventNumber(progress.step, progress.microBatch);
  if (isKept(event) || event === pauseAt) await writeTrainingState(stateFile, state);
  say({ said: 'event', event, progress, digests: digestsOf(state) });
  if (event === pauseAt) await delay(3_600_000);
}
trainer.dispose();
