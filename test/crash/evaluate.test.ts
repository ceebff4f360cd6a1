/**
 * An evaluation killed and stopped on the way and taken up by new processes: the same artifact and the same facts as of an
 * undisturbed one. Without Temporal: the process that evaluates, its supervision and the store.
 */
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import initSqlJs from 'sql.js';
import type { Progress } from '../../config/child-protocol.js';
import { openDatasetSource } from '../../distillation/index.js';
import type { StageResult } from '../../storage/index.js';
import { conversationLines } from '../support/model-fixtures.js';
import { temporaryDirectory } from '../support/temporary.js';
import { trainerPid, TrainingGround, wasm, type TrainingTask } from '../support/training-stage.js';

let ground: TrainingGround;
let dataset: TrainingTask['inputs'][string];
beforeAll(async () => {
  ground = await TrainingGround.create();
  dataset = await ground.storeConversations(conversationLines(400));
});

const taskOf = (name: string): TrainingTask => ({
  name: `evaluate ${name}`,
  uses: 'evaluate',
  numerics: wasm,
  with: { scorers: ['exact-match'], maximumTokens: 32 },
  inputs: { dataset, model: ground.large },
});

const essence = ({ outcome: { outputs, facts, reproducible } }: StageResult) => ({
  scores: outputs['scores']?.digest,
  facts,
  reproducible,
});

interface End {
  readonly code: unknown;
  /** Items that the attempt began with, and parts that were durable in the end. */
  readonly began: number;
  readonly durable: number;
}

const durableOf = (progress: Progress | undefined): number => progress?.durable?.step ?? 0;

/** Disturbs an attempt as soon as it has made a part of its own durable. */
async function disturb(how: (abort: AbortController) => void): Promise<End> {
  const evaluating: Progress[] = [];
  const abort = new AbortController();
  let done = false;
  const onProgress = (progress: Progress): void => {
    if (progress.phase !== 'evaluate' || progress.facts?.done === undefined) return;
    evaluating.push(progress);
    if (done || durableOf(progress) <= durableOf(evaluating[0])) return;
    done = true;
    how(abort);
  };
  const code = await ground.train(taskOf('disturbed'), { signal: abort.signal, onProgress }).then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );
  return { code, began: evaluating[0]?.facts?.done ?? 0, durable: durableOf(evaluating.at(-1)) };
}

const kill = (): void => void process.kill(trainerPid('evaluate'), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

test('an evaluation, killed and stopped, goes on from its last durable part and leaves the same bytes', async () => {
  const undisturbed = await ground.train(taskOf('undisturbed'));
  expect(undisturbed.outcome.reproducible).toBe(true);
  const killed = await disturb(kill);
  expect(killed.code).toBe('child-died');
  expect(killed.durable).toBeGreaterThan(0);
  const stopped = await disturb(stop);
  // On a fast machine the rest may be done before it is disturbed.
  expect(['stopped', undefined]).toContain(stopped.code);
  expect(stopped.began).toBeGreaterThanOrEqual(16 * killed.durable);
  expect(stopped.began).toBeGreaterThan(0);
  expect(essence(await ground.train(taskOf('disturbed')))).toEqual(essence(undisturbed));
});

test('an evaluation whose database changed after it was identified ends without a result', async () => {
  const path = join(temporaryDirectory(), 'shop.db');
  const { Database } = await initSqlJs();
  const write = (statement: string): Promise<void> => {
    const made = new Database();
    made.run(statement);
    return writeFile(path, made.export()).finally(() => made.close());
  };
  await write('CREATE TABLE item (shelf INTEGER)');
  const database = pathToFileURL(path).href;
  const identity = await (await openDatasetSource(database)).identify();
  const task: TrainingTask = {
    ...taskOf('changed'),
    with: { scorers: ['sql-execution'], database },
    sources: { database: { ...identity } },
  };
  // Of the same size: only its time says so.
  await write('CREATE TABLE item (place INTEGER)');
  await utimes(path, 1000, 1000);
  await expect(ground.train(task)).rejects.toMatchObject({ code: 'dataset-changed' });
});
