/**
 * A model on this machine that answers as a teacher, killed and stopped on the way and taken up by new processes: the same answers as
 * of an undisturbed one, and none of them written twice. Without Temporal: the process that answers, its supervision and the store.
 */
import { z } from 'zod';
import type { Progress } from '../../config/child-protocol.js';
import { readArtifact, readBlob, type StageResult } from '../../storage/index.js';
import { conversationLines } from '../support/model-fixtures.js';
import { trainerPid, TrainingGround, wasm, type Supervision, type TrainingTask } from '../support/training-stage.js';

/** Each has a record of answers of its own. */
let quiet: TrainingGround;
let stormy: TrainingGround;
let undisturbed: StageResult;
beforeAll(async () => {
  [quiet, stormy] = await Promise.all([TrainingGround.create(), TrainingGround.create()]);
  undisturbed = await answer(quiet, 'undisturbed');
});

const prompts = 24;

/** Two answers to each prompt, drawn. */
async function answer(ground: TrainingGround, name: string, changes: Partial<TrainingTask> = {}, watch?: Supervision) {
  const dataset = await ground.storeConversations(conversationLines(prompts));
  const options = { samples: 2, temperature: 1, ...changes.with };
  const task = { name, uses: 'answer', numerics: wasm, inputs: { dataset, teacher: ground.large } } as const;
  return ground.train({ ...task, ...changes, with: options }, watch);
}

const linesOf = async (ground: TrainingGround, { outcome }: StageResult, output: string) => {
  const { parts } = await readArtifact(ground.store, outcome.outputs[output]!);
  const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(ground.store, part)))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => rowSchema.parse(JSON.parse(line)));
};
const rowSchema = z.looseObject({ id: z.string(), messages: z.array(z.object({ content: z.string() })).optional() });

const essence = ({ outcome: { outputs, facts, reproducible } }: StageResult) => ({
  outputs: Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest])),
  facts,
  reproducible,
});

const observedCalls = z.object({ tokensPerSecond: z.number() });

/** Disturbs an attempt as soon as it has answered some more. @returns the code that it ended with, and how many were answered when */
async function disturb(how: (abort: AbortController) => void): Promise<{ code: unknown; began: number; done: number }> {
  const abort = new AbortController();
  const seen: number[] = [];
  const onProgress = ({ durable }: Progress): void => {
    if (durable === undefined || seen.push(durable.step) !== 10) return;
    how(abort);
  };
  const code = await answer(stormy, 'disturbed', {}, { signal: abort.signal, onProgress }).then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );
  return { code, began: seen[0] ?? 0, done: seen.at(-1) ?? 0 };
}

const kill = (): void => void process.kill(trainerPid('answer'), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

test('a teacher on this machine, killed and stopped, writes only what is missing and leaves the same answers', async () => {
  expect(undisturbed.outcome.reproducible).toBe(true);
  const killed = await disturb(kill);
  expect(killed.code).toBe('child-died');
  expect(killed.done).toBeGreaterThan(0);
  const stopped = await disturb(stop);
  // On a fast machine the rest may be done before it is disturbed.
  expect(['stopped', undefined]).toContain(stopped.code);
  const resumed = await answer(stormy, 'disturbed');
  expect(essence(resumed)).toEqual(essence(undisturbed));

  // What is recorded is found by whoever asks the same: another stage writes nothing.
  const again = await answer(stormy, 'again');
  expect(essence(again)).toEqual(essence(undisturbed));
  expect(observedCalls.parse(again.outcome.observations).tokensPerSecond).toBe(0);
});

test('every answer bears its key, the digest of the weights, its tokens and no money; samples differ', async () => {
  const answers = await linesOf(quiet, undisturbed, 'answers');
  expect(answers).toHaveLength(2 * prompts);
  for (const each of answers)
    expect(each).toMatchObject({
      key: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      revision: quiet.large.digest,
      finishReason: expect.stringMatching(/^(stop|length)$/) as string,
      completionTokens: expect.any(Number) as number,
      spentUsd: 0,
    });
  const rows = await linesOf(quiet, undisturbed, 'dataset');
  expect(rows.slice(0, 2).map(({ id }) => id)).toEqual(['row-0#0', 'row-0#1']);
  const texts = rows.map(({ messages = [] }) => messages.at(-1)?.content);
  expect(texts[0]).not.toBe(texts[1]);
  expect(undisturbed.outcome.observations).toMatchObject({ spentUsd: 0, prices: 'not given' });
});

test('a prompt without room for an answer is one request that is rejected, and too many of them fail the stage', async () => {
  await expect(answer(quiet, 'no room', { with: { context: 8, temperature: 1 } })).rejects.toMatchObject({
    code: 'answer-yield-too-low',
    message: expect.stringMatching(/rejected; calls that brought no reply: .*longer one ×\d+/) as string,
  });
});
