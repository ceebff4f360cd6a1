/** Greedy generation by the engine: all sequences at once, in a generator with as many slots. */
import { createGenerator, openModelDirectory, type Generator } from '../engine/index.js';
import {
  memoryBytes,
  timedCalls,
  type EngineOptions,
  type GenerateTask,
  type Measurement,
} from './engine-measurement.js';
import { createRunner } from './engine-train.js';
import { readRows } from './engine-workload.js';

export async function generate(task: GenerateTask, options: EngineOptions): Promise<Measurement> {
  const runner = createRunner(options);
  const idleBytes = memoryBytes('VmRSS');
  const { config, tensors, close } = await openModelDirectory(task.model);
  const prompts = await readRows(task.ids, task.length);
  const started = performance.now();
  const generator = await createGenerator({
    runner,
    config,
    weights: (name) => tensors.readFloat32(name),
    slots: task.batch,
    capacity: task.length + task.newTokens,
    promptLengths: [task.length],
    endOfSequence: [],
    xla: options.xla,
  });
  const compileMs = performance.now() - started;
  await close();
  let tokens: readonly (readonly number[])[] = [];
  const times = await timedCalls(task.rounds, async () => {
    tokens = await Promise.all(prompts.map((prompt) => complete(generator, prompt, task.newTokens)));
  });
  return { tokens, compileMs, idleBytes, ...times };
}

async function complete(generator: Generator, prompt: Int32Array, maximumNewTokens: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const event of generator.generate({ prompt, maximumNewTokens }))
    if (event.kind === 'token') ids.push(event.id);
  return ids;
}
