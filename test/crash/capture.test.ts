/**
 * A capture killed at every kind of moment and taken up by new processes keeps the bytes of an undisturbed one: the same artifact, the
 * same facts. Without Temporal: the process that captures, its supervision and the store.
 */
import type { Progress } from '../../config/child-protocol.js';
import type { StageResult } from '../../storage/index.js';
import { conversationLines } from '../support/model-fixtures.js';
import { TrainingGround, trainerPid, wasm, type TrainingTask } from '../support/training-stage.js';

let ground: TrainingGround;
let dataset: TrainingTask['inputs'][string];
beforeAll(async () => {
  ground = await TrainingGround.create();
  dataset = await ground.storeConversations(conversationLines(1000));
});

/** Four groups of samples, scored one after another, in shards of a few samples each. */
const taskOf = (name: string): TrainingTask => ({
  name: `capture ${name}`,
  uses: 'capture',
  numerics: wasm,
  with: { k: 10, temperatures: [1, 2], batchTokens: 512, shardBytes: 16 * 1024 },
  inputs: { dataset, teacher: ground.large, student: ground.small },
});

const essence = ({ outcome: { outputs, facts, reproducible } }: StageResult) => ({
  logits: outputs['logits']?.digest,
  facts,
  reproducible,
});

interface End {
  readonly code: unknown;
  /** Shards that were durable when the scoring began, and when the attempt ended. */
  readonly begun: number;
  readonly durable: number;
}

const durableOf = (progress: Progress | undefined): number => progress?.durable?.step ?? 0;

type Moment = (progress: Progress, scoring: readonly Progress[]) => boolean;
const inPhase =
  (phase: string): Moment =>
  (progress) =>
    progress.phase === phase;
/** The attempt has made a shard of its own durable. */
const atNewShard: Moment = (progress, scoring) => durableOf(progress) > durableOf(scoring[0]);

async function disturb(moment: Moment, how: (abort: AbortController) => void): Promise<End> {
  const scoring: Progress[] = [];
  const abort = new AbortController();
  let done = false;
  const onProgress = (progress: Progress): void => {
    if (progress.phase === 'capture') scoring.push(progress);
    if (done || (scoring.length === 0 && moment === atNewShard) || !moment(progress, scoring)) return;
    done = true;
    how(abort);
  };
  const code = await ground.train(taskOf('disturbed'), { signal: abort.signal, onProgress }).then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );
  return { code, begun: durableOf(scoring[0]), durable: durableOf(scoring.at(-1)) };
}

const kill = (): void => void process.kill(trainerPid('capture'), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

test('a capture, killed and stopped again and again, goes on from its last durable shard and leaves the same bytes', async () => {
  const undisturbed = await ground.train(taskOf('undisturbed'));
  expect(undisturbed.outcome.reproducible).toBe(true);
  await disturb(inPhase('load'), kill);
  await disturb(inPhase('compile'), kill);
  const ends: End[] = [];
  for (const how of [kill, stop, kill]) ends.push(await disturb(atNewShard, how));
  await disturb(inPhase('restore'), kill);
  // On a fast machine the third attempt may come to the end before it is disturbed.
  expect(ends.map(({ code }) => code).slice(0, 2)).toEqual(['child-died', 'stopped']);
  for (const { begun, durable } of ends.slice(0, 2)) expect(durable).toBeGreaterThan(begun);
  // What an attempt has made durable, the next one begins with.
  for (const [index, { code, begun }] of ends.slice(1).entries())
    if (code !== undefined) expect(begun).toBeGreaterThanOrEqual(ends[index]!.durable);
  await disturb(inPhase('seal'), kill);
  const { outcome, ...rest } = await ground.train(taskOf('disturbed'));
  expect(essence({ outcome, ...rest })).toEqual(essence(undisturbed));
});
