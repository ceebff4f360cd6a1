/**
 * A stage that acts does so anew in every run. But what it refused in the run before stays refused while nothing changes: the stage is
 * not run, and no person is asked. Nothing has changed when the preimages are equal apart from run and decision (options, candidate, and
 * the verdict, which holds champion and scores), and when that champion still serves, which is read now.
 */
import type { NodeInput, StageIdentity } from '../config/plan.js';
import { hasCode } from '../config/errors.js';
import { refusalOf, sayRefusal } from '../config/refusal.js';
import type { StageKind } from '../config/stage-kind.js';
import {
  canonicalJson,
  expectAlias,
  isJsonObject,
  lookupStage,
  parseDigest,
  readRun,
  type Json,
  type ObjectStore,
} from '../storage/index.js';
import { expectedBy, readVerdict } from './read-verdict.js';

export interface StandingRefusal extends StageIdentity {
  /** Who refused it when, and why, in a line. */
  readonly why: string;
}

export interface ActingNode extends Pick<NodeInput, 'inputs'> {
  readonly kind: Pick<StageKind, 'refusesBy'>;
  /** Of the work that would be done now. */
  readonly preimage: StageIdentity['preimage'];
  /** The stage key that the node had last. */
  readonly before: string | undefined;
}

/** @returns the refusing stage of an earlier run, whose result stands; undefined where the stage has to run */
export async function standingRefusal(
  store: ObjectStore,
  { kind, inputs, preimage, before }: ActingNode,
): Promise<StandingRefusal | undefined> {
  const verdict = kind.refusesBy === undefined ? undefined : inputs[kind.refusesBy];
  if (verdict === undefined || before === undefined) return undefined;
  const { result } = await lookupStage(store, before, { readOnly: true });
  const refused = result && refusalOf(result.outcome.facts);
  if (!result || !refused || workOf(result.outcome.preimage) !== workOf(preimage)) return undefined;
  const decided = await readVerdict(store, { ...verdict, digest: parseDigest(verdict.digest) });
  if (!(await servesStill(store, decided))) return undefined;
  const why = sayRefusal(refused, result.recordedBy ?? 'before');
  return { stageKey: before, preimage: result.outcome.preimage as StageIdentity['preimage'], why };
}

/** The stage key that a node had last: in this run, which may have been started again, or in those before it. */
export async function stageBefore(store: ObjectStore, runId: string, node: string): Promise<string | undefined> {
  const run = await readRun(store, runId);
  return run?.stages[node] ?? run?.before[node];
}

/** The preimage of a stage that acts, without the run and what a person decided. */
function workOf(preimage: Json): string {
  const { run: _run, decision: _decision, ...work } = isJsonObject(preimage) ? preimage : {};
  return canonicalJson(work);
}

async function servesStill(store: ObjectStore, decided: Awaited<ReturnType<typeof readVerdict>>): Promise<boolean> {
  try {
    await expectAlias(store, { ...decided, expected: expectedBy(decided) });
    return true;
  } catch (error) {
    if (!hasCode(error, 'champion-moved')) throw error;
    return false;
  }
}
