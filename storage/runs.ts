/**
 * Run records: which stages a run needs. Put before its first stage and closed at its end, they tell collection what is still
 * wanted, and status pages what happened when no worker is there to be asked.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import type { Json } from './canonical-json.js';
import { moveRecord, movingFields, newOperationId, type MovingFields } from './conditional.js';
import type { Digest } from './digest.js';
import { runKey, type StageKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { digestSchema, jsonSchema, readRecord, type RecordKind } from './record.js';

const runSchema = z.looseObject({
  ...movingFields,
  id: z.string(),
  planDigest: digestSchema,
  status: z.enum(['open', 'closed']),
  /** node id → stage key */
  stages: z.record(z.string(), z.string()),
  /** How it ended; null while it is open. */
  outcome: jsonSchema,
});
export type Run = z.output<typeof runSchema>;

export const runKind: RecordKind<Run> = { kind: 'run', version: 1, schema: runSchema };

/**
 * Opens a run; a run of the same plan that is there already is joined, and opened again if it was closed.
 * @throws run-conflict when the id belongs to a run of another plan
 */
export async function openRun(store: ObjectStore, id: string, planDigest: Digest): Promise<Run> {
  return moveRun(store, id, (run, moving) => {
    if (run && run.planDigest !== planDigest)
      throw new NightstillError('run-conflict', `run ${id}: expected plan ${run.planDigest}, found ${planDigest}`);
    return { ...run, ...moving, id, planDigest, stages: run?.stages ?? {}, status: 'open', outcome: null };
  });
}

/** Names a stage that the run needs, before it is looked up or run. */
export async function addRunStage(store: ObjectStore, id: string, node: string, stageKey: StageKey): Promise<Run> {
  return moveRun(store, id, (run, moving) => {
    const open = existing(id, run);
    return { ...open, ...moving, stages: { ...open.stages, [node]: stageKey } };
  });
}

export async function closeRun(store: ObjectStore, id: string, outcome: Json): Promise<Run> {
  return moveRun(store, id, (run, moving) => ({ ...existing(id, run), ...moving, status: 'closed', outcome }));
}

export async function readRun(store: ObjectStore, id: string): Promise<Run | undefined> {
  return (await readRecord(store, runKind, runKey(id)))?.value;
}

async function moveRun(
  store: ObjectStore,
  id: string,
  decide: (run: Run | undefined, moving: MovingFields) => Run,
): Promise<Run> {
  const move = { kind: runKind, key: runKey(id), operationId: newOperationId(), decide };
  return (await moveRecord<Run>(store, move)).value;
}

function existing(id: string, run: Run | undefined): Run {
  if (run) return run;
  throw new NightstillError('object-missing', `run ${id}: expected an open run, found none`, {
    details: { key: runKey(id) },
  });
}
