/**
 * A plan whose trainings save in time to be killed in their middle, and seldom enough to lose something by it, on a fast machine and
 * on a slow one: by the time that a step took when nothing disturbed them. When a training saves is no part of what it computes.
 */
import type { RunResult } from '../../client/index.js';
import type { PlanNode } from '../../config/plan.js';
import {
  isJsonArray,
  isJsonObject,
  lookupStage,
  openObjectStore,
  type Json,
  type JsonObject,
  type ObjectStore,
} from '../../storage/index.js';

/** A crash may cost as many steps at least, and this share of the training at most. */
const leastSteps = 4;
const greatestShare = 1 / 5;

export interface Undisturbed {
  readonly result: RunResult;
  /** URL of its store. */
  readonly store: string;
  /** As they were resolved, where their kinds are known. */
  readonly nodes: readonly Pick<PlanNode, 'id' | 'with'>[];
}

/** The file of the plan, with other values of `loseAtMost`. */
export async function savingForProof(
  file: JsonObject,
  { result, store: url, nodes }: Undisturbed,
): Promise<JsonObject> {
  const store = await openObjectStore(url);
  try {
    const wanted = new Map<string, number>();
    for (const [id, { stageKey }] of Object.entries(result.nodes)) {
      const paced = stageKey === undefined ? undefined : await paceOf(store, stageKey);
      if (paced) wanted.set(id, loseAtMost(paced, nodes.find((node) => node.id === id)?.with['loseAtMost']));
    }
    return withLoseAtMost(file, wanted);
  } finally {
    await store.close();
  }
}

interface Pace {
  readonly steps: number;
  readonly stepMs: number;
}

/** Of a training; undefined for any other stage. */
async function paceOf(store: ObjectStore, stageKey: string): Promise<Pace | undefined> {
  const { result } = await lookupStage(store, stageKey, { readOnly: true });
  const [steps, tokens] = [numberOf(result?.outcome.facts, 'steps'), numberOf(result?.outcome.facts, 'tokens')];
  const tokensPerSecond = numberOf(result?.outcome.observations, 'tokensPerSecond');
  return steps > 0 && tokens > 0 && tokensPerSecond > 0
    ? { steps, stepMs: ((tokens / steps) * 1000) / tokensPerSecond }
    : undefined;
}

const numberOf = (record: Json | undefined, name: string): number => {
  const value = record !== undefined && isJsonObject(record) ? record[name] : undefined;
  return typeof value === 'number' ? value : 0;
};

/** What the plan says, where that is within what shows something. */
function loseAtMost({ steps, stepMs }: Pace, planned: Json = Infinity): number {
  const most = Math.max(leastSteps, steps * greatestShare) * stepMs;
  const said = typeof planned === 'number' ? planned : Infinity;
  return Math.max(1, Math.round(Math.min(most, Math.max(leastSteps * stepMs, said))));
}

/** A plan of stages says it to each; any other once, for the one that is to save most often. */
function withLoseAtMost(file: JsonObject, wanted: ReadonlyMap<string, number>): JsonObject {
  if (wanted.size === 0) return file;
  const { stages } = file;
  if (stages === undefined || !isJsonArray(stages)) return { ...file, loseAtMost: Math.min(...wanted.values()) };
  return {
    ...file,
    stages: stages.map((stage) => {
      const id = isJsonObject(stage) ? stage['id'] : undefined;
      const value = typeof id === 'string' ? wanted.get(id) : undefined;
      if (value === undefined || !isJsonObject(stage)) return stage;
      const given = stage['with'];
      return { ...stage, with: { ...(given !== undefined && isJsonObject(given) && given), loseAtMost: value } };
    }),
  };
}
