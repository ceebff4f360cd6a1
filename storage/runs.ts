/**
 * Run records: which stages a run needs, and which the runs of its plan needed before. Put before its first stage and closed
 * at its end, they tell collection what is still wanted, status pages what happened when no worker is there to be asked, and
 * whoever asks why a stage runs again what to compare it with. `plans/<name>.json` names the newest run of a plan.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import type { Json } from './canonical-json.js';
import { moveRecord, movingFields, newOperationId, type MovingFields } from './conditional.js';
import type { Digest } from './digest.js';
import { planKey, runKey, type StageKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { digestSchema, jsonSchema, readRecord, type ReadRecord, type RecordKind } from './record.js';

const runSchema = z.looseObject({
  ...movingFields,
  id: z.string(),
  /** Name of the plan. */
  plan: z.string(),
  planDigest: digestSchema,
  /** The day (UTC) that it was begun on, where its plan depends on it: it stays that day when the run goes on later. */
  day: z.string().optional(),
  /** Id of the run of this plan that was the newest when this one was opened. */
  previous: z.string().nullable(),
  status: z.enum(['open', 'closed']),
  /** node id → stage key */
  stages: z.record(z.string(), z.string()),
  /** node id → the stage key that it had last in runs of this plan before this one. */
  before: z.record(z.string(), z.string()),
  /** How it ended; null while it is open. */
  outcome: jsonSchema,
});
export type Run = z.output<typeof runSchema>;

export const runKind: RecordKind<Run> = { kind: 'run', version: 1, schema: runSchema };

const planSchema = z.looseObject({
  ...movingFields,
  plan: z.string(),
  /** Id of its newest run, and of the one before that. */
  run: z.string(),
  previous: z.string().nullable(),
});
export type PlanRecord = z.output<typeof planSchema>;

const planKind: RecordKind<PlanRecord> = { kind: 'plan', version: 1, schema: planSchema };

export interface NewRun {
  readonly id: string;
  readonly plan: string;
  readonly planDigest: Digest;
  readonly day?: string | undefined;
}

/**
 * Opens a run, as the newest of its plan; a run of the same plan that is there already is joined, and opened again if it was
 * closed.
 * @throws run-conflict when the id belongs to a run of another plan
 */
export async function openRun(store: ObjectStore, { id, plan, planDigest, day }: NewRun): Promise<Run> {
  refuseOther(id, planDigest, await readRun(store, id));
  const { previous } = await movePlan(store, plan, id);
  const last = previous === null ? undefined : await readRun(store, previous);
  const before = last ? lastStages(last) : {};
  return moveRun(store, id, (run, moving) => {
    refuseOther(id, planDigest, run);
    const stages = run?.stages ?? {};
    const begun = run?.day ?? day;
    return {
      ...run,
      ...moving,
      ...(begun !== undefined && { day: begun }),
      id,
      plan,
      planDigest,
      previous,
      stages,
      before,
      status: 'open',
      outcome: null,
    };
  });
}

function refuseOther(id: string, planDigest: Digest, run: Run | undefined): void {
  if (run === undefined || run.planDigest === planDigest) return;
  throw new NightstillError('run-conflict', `run ${id}: expected plan ${run.planDigest}, found ${planDigest}`);
}

/** Called again by the same run, after a crash in between, it changes nothing but the counter. */
async function movePlan(store: ObjectStore, plan: string, run: string): Promise<PlanRecord> {
  const decide = (current: PlanRecord | undefined, moving: MovingFields): PlanRecord => ({
    ...current,
    ...moving,
    plan,
    run,
    previous: (current?.run === run ? current.previous : current?.run) ?? null,
  });
  return (await moveRecord(store, { kind: planKind, key: planKey(plan), operationId: newOperationId(), decide })).value;
}

/** A run that failed early looked few stages up: for the others stands what it found itself. */
const lastStages = ({ stages, before }: Run): Run['before'] =>
  Object.fromEntries(Object.entries({ ...stages, ...before, ...stages }).slice(0, mostStagesBefore));

/** More than any plan has: nodes that were renamed long ago are forgotten. */
const mostStagesBefore = 600;

/** The record as this process wrote it last: another may have moved it since. */
export type KnownRun = ReadRecord<Run>;

/**
 * Names stages that the run needs, by node, before they are looked up or run. Where the same run named another for a node (the
 * data has changed since it failed), that one counts as before.
 * @param known spares reading the record first; where it is out of date, the write is refused and the record read
 */
export async function addRunStages(
  store: ObjectStore,
  id: string,
  stages: Readonly<Record<string, StageKey>>,
  known?: KnownRun,
): Promise<KnownRun> {
  const decide = (run: Run | undefined, moving: MovingFields): Run => {
    const open = existing(id, run);
    const replaced = Object.entries(open.stages).filter(([node, key]) => (stages[node] ?? key) !== key);
    const before = { ...open.before, ...Object.fromEntries(replaced) };
    return { ...open, ...moving, before, stages: { ...open.stages, ...stages } };
  };
  return moveRecord(store, { ...runMove(id), known, decide });
}

export async function closeRun(store: ObjectStore, id: string, outcome: Json): Promise<Run> {
  return moveRun(store, id, (run, moving) => ({ ...existing(id, run), ...moving, status: 'closed', outcome }));
}

export async function readRun(store: ObjectStore, id: string): Promise<Run | undefined> {
  return (await readRecord(store, runKind, runKey(id)))?.value;
}

/** Which run of a plan is the newest. */
export async function readPlan(store: ObjectStore, name: string): Promise<PlanRecord | undefined> {
  return (await readRecord(store, planKind, planKey(name)))?.value;
}

async function moveRun(
  store: ObjectStore,
  id: string,
  decide: (run: Run | undefined, moving: MovingFields) => Run,
): Promise<Run> {
  return (await moveRecord<Run>(store, { ...runMove(id), decide })).value;
}

const runMove = (id: string) => ({ kind: runKind, key: runKey(id), operationId: newOperationId() });

function existing(id: string, run: Run | undefined): Run {
  if (run) return run;
  throw new NightstillError('object-missing', `run ${id}: expected an open run, found none`, {
    details: { key: runKey(id) },
  });
}
