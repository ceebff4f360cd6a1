/**
 * A stage whose work is a function, done in this process: it is claimed, done, and sealed. What the
 * function returns is recorded once, whoever else tries.
 */
import { Context } from '@temporalio/activity';
import type { Progress } from '../config/child-protocol.js';
import { hasCode, NightstillError } from '../config/errors.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { claimStage, lookupResult, type ObjectStore } from '../storage/index.js';
import { isActivityOpen } from './open-activities.js';
import type { OpenStores } from './open-stores.js';
import { runAttempt } from './stage-attempt.js';
import { stageOwner } from './stage-owner.js';
import type { StageContext, StageProduct } from './stage.js';

type Work = (context: StageContext) => Promise<StageProduct>;

export function runStageHere(stores: OpenStores, kind: StageKind, work: Work, input: StageInput): Promise<StageOutput> {
  return runAttempt(input, (report) => stores.use(input.store, (store) => workOnce(store, kind, work, input, report)));
}

async function workOnce(
  store: ObjectStore,
  kind: StageKind,
  work: Work,
  input: StageInput,
  progress: (progress: Progress) => void,
): Promise<StageOutput> {
  const { stageKey, preimage } = input;
  const { cancellationSignal: signal, client } = Context.current();
  const recorded = await lookupResult(store, stageKey);
  if (recorded) return { outputs: recorded.outcome.outputs };
  try {
    const isOpen = (owner: ReturnType<typeof stageOwner>) => isActivityOpen(client, owner);
    const writer = await claimStage(store, { stageKey, owner: stageOwner(), isOpen });
    const product = await work({
      options: input.with,
      inputs: input.inputs as StageContext['inputs'],
      makers: input.makers ?? {},
      preimage,
      runId: input.runId,
      decision: input.decision,
      store,
      writer,
      progress,
      signal,
    });
    // What has acted says so, also to who wanted it to end.
    if (kind.reusable) signal.throwIfAborted();
    const { observations = {}, facts, outputs } = product;
    checkOutputs(kind, outputs);
    const sealed = await writer.seal({
      preimage,
      outputs,
      facts,
      observations,
      reproducible: kind.reproducible,
    });
    return { outputs: sealed.outcome.outputs };
  } catch (error) {
    const finished = hasCode(error, 'stage-sealed') ? await lookupResult(store, stageKey) : undefined;
    if (finished) return { outputs: finished.outcome.outputs };
    throw error;
  }
}

/** What is sealed is found again for ever: a slip in a stage of somebody's own must not come so far. */
function checkOutputs({ kind, outputs: kinds }: StageKind, outputs: StageProduct['outputs']): void {
  for (const name of new Set([...Object.keys(kinds), ...Object.keys(outputs)])) {
    const [expected, found] = [kinds[name], outputs[name]?.kind];
    if (expected === undefined || expected !== found)
      throw new NightstillError(
        'stages-invalid',
        `stage ${kind}, output "${name}": expected ${expected ?? 'no such output'}, found ${found ?? 'none'}`,
      );
  }
}
