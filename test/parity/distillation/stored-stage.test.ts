/** The stage distill in its process, from captured logits: as from the teacher beside it, also when it is killed, and refused before it trains. */
import { join } from 'node:path';
import { captureRows, LogitWriter } from '../../../distillation/logits/index.js';
import { fetchModel } from '../../../distillation/index.js';
import { openTokens } from '../../../distillation/training/token-cache.js';
import {
  createConversationEncoder,
  createScorer,
  kernelsRunner,
  openChatTemplate,
  openModelDirectory,
  openTokenizer,
} from '../../../engine/index.js';
import { readArtifact, readBlob, type ArtifactRef, type StageResult } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { trainerPid, TrainingGround, wasm, type TrainingTask } from '../../support/training-stage.js';

const [rowTokens, steps] = [64, 16];
let ground: TrainingGround;
let logits: ArtifactRef;

/** What a capture of the large model over the whole dataset leaves: all ids of its vocabulary. */
async function capture(samples = Infinity, tokenizerDigest?: string): Promise<ArtifactRef> {
  const { store, dataset, large } = ground;
  const cacheDirectory = temporaryDirectory();
  const directory = await fetchModel(store, large, cacheDirectory);
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const encoder = createConversationEncoder({ tokenizer, template, answers: 'all' });
  const request = { store, dataset, encoder, maximumTokens: rowTokens, tooLong: 'truncate' } as const;
  const tokens = await openTokens({
    ...request,
    cacheDirectory: join(cacheDirectory, 'tokens'),
    onRows: () => undefined,
  });
  const { config, tensors, close } = await openModelDirectory(directory);
  const k = config.vocabularySize;
  const scorer = await createScorer({
    runner: kernelsRunner({ backend: 'wasm' }),
    config,
    weights: tensors.readFloat32,
    rowLengths: [rowTokens],
    batchTokens: 256,
    topK: k,
    temperatures: [2],
  });
  const writer = await LogitWriter.resume({
    store,
    writer: await claim(store, stageKeyOf(`capture ${samples} ${tokenizerDigest}`)),
    header: {
      teacherDigest: large.digest,
      tokenizerDigest: tokenizerDigest ?? tokenizer.digest,
      vocabularySize: k,
      k,
      temperatures: [2],
      valueType: 'float32',
    },
  });
  const some = { samples: Math.min(samples, tokens.samples), read: tokens.read };
  for await (const row of captureRows(scorer, some)) await writer.add(row);
  scorer.dispose();
  await Promise.all([close(), tokens.close()]);
  return writer.finish();
}

beforeAll(async () => {
  ground = await TrainingGround.create();
  logits = await capture();
});

const taskOf = (name: string, inputs: TrainingTask['inputs'], changes: object = {}): TrainingTask => ({
  name: `stored ${name}`,
  uses: 'distill',
  numerics: wasm,
  with: { steps, rowTokens, ...changes },
  inputs: { dataset: ground.dataset, model: ground.small, ...inputs },
});

async function lossesOf({ outcome: { outputs } }: StageResult): Promise<number[]> {
  const { parts } = await readArtifact(ground.store, outputs['metrics']!);
  const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(ground.store, part)))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number }).loss);
}

test('a student learns from captured logits what it learns from the teacher beside it, killed on the way or not', async () => {
  const beside = await lossesOf(await ground.train(taskOf('dense', { teacher: ground.large })));
  const undisturbed = await ground.train(taskOf('captured', { logits }));
  const stored = await lossesOf(undisturbed);
  expect(stored).toHaveLength(steps);
  stored.forEach((loss, step) => expect(Math.abs(loss - beside[step]!)).toBeLessThan(1e-4));
  expect(stored.at(-1)).toBeLessThan(stored[0]!);
  const task = taskOf('killed', { logits });
  let kills = 0;
  const killed = ground.train(task, {
    onProgress({ phase, durable }) {
      if (phase === 'train' && durable !== undefined && kills++ === 0) process.kill(trainerPid(), 'SIGKILL');
    },
  });
  await expect(killed).rejects.toMatchObject({ code: 'child-died' });
  const { outcome } = await ground.train(task);
  expect(outcome.outputs['model']?.digest).toBe(undisturbed.outcome.outputs['model']?.digest);
  expect(outcome.outputs['metrics']?.digest).toBe(undisturbed.outcome.outputs['metrics']?.digest);
});

test.each([
  ['of another tokenizer', 'teacher-mismatch', () => capture(3, 'c'.repeat(64)), {}],
  ['captured at another temperature', 'logits-invalid', () => Promise.resolve(logits), { temperature: 1 }],
] as const)('logits %s are refused before the training: %s', async (name, code, make, changes) => {
  const phases = new Set<string>();
  const training = ground.train(taskOf(name, { logits: await make() }, changes), {
    onProgress: ({ phase }) => phases.add(phase),
  });
  await expect(training).rejects.toMatchObject({ code, fault: 'user', retryable: false });
  expect(phases.has('train')).toBe(false);
});

test('a teacher and logits together are a fault of the plan', async () => {
  const both = taskOf('both', { logits, teacher: ground.large });
  await expect(ground.train(both)).rejects.toMatchObject({ code: 'plan-invalid' });
});
