/**
 * A program that does what a stage does: looks the result up, claims, restores, saves step after step, seals. Every
 * acknowledgement is on its standard output before it goes on. Its one parameter is a `StageTask` as JSON.
 */
import { writeSync } from 'node:fs';
import { asNightstillError } from '../../config/errors.js';
import { claimStage, digestOf, lookupResult, openObjectStore, type ObjectStore } from '../../storage/index.js';
import { factsOf } from '../../storage/results.js';
import { signalAt } from './kill-points.js';
import { nobodyIsOpen, owner } from './stage.js';
import { arraysOf, assertWhole, frozenOf, shardOf, type StageEvent, type StageTask } from './stage-task.js';

const say = (event: StageEvent): void => void writeSync(1, `${JSON.stringify(event)}\n`);

async function work(store: ObjectStore, task: StageTask): Promise<string> {
  const { stageKey, seed, steps, attempt } = task;
  const found = await lookupResult(store, stageKey);
  if (found) return factsOf(found.outcome);
  const writer = await claimStage(store, { stageKey, owner: owner(attempt), isOpen: nobodyIsOpen });
  say({ event: 'claimed', fence: writer.fence });
  const restored = await writer.restore();
  if (restored) await assertWhole(store, task, restored);
  say({ event: 'restored', step: restored?.step ?? 0 });
  const references = [...(restored?.references ?? [])];
  for (let step = 1 + (restored?.step ?? 0); step <= steps; step += 1) {
    references.push(await writer.putBlob(shardOf(task, step)));
    const checkpoint = { step, state: { step }, arrays: arraysOf(task, step), frozen: frozenOf(task) };
    await writer.save({ ...checkpoint, references: [...references] }).durable;
    say({ event: 'saved', step });
  }
  const dataset = await writer.putArtifact({ kind: 'dataset', parts: references, meta: { seed } });
  const facts = { steps, weights: digestOf(arraysOf(task, steps).get('weights') ?? '') };
  const outcome = { preimage: { seed }, outputs: { dataset }, facts, observations: { attempt }, reproducible: true };
  return factsOf((await writer.seal(outcome)).outcome);
}

const task: StageTask = JSON.parse(process.argv[2] ?? '');
const store = await openObjectStore(task.url, { forWriting: true });
try {
  say({ event: 'result', facts: await work(task.point ? signalAt(store, task.point) : store, task) });
} catch (error) {
  const { code, message } = asNightstillError(error);
  say({ event: 'failed', code, message });
  process.exitCode = 1;
}
await store.close();
