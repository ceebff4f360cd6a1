/** A stage whose work is a function, done in this process. */
import { Context } from '@temporalio/activity';
import type { Progress } from '../config/child-protocol.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import type { IsOpen, ObjectStore } from '../storage/index.js';
import { workUnderClaim } from './claimed-work.js';
import { isActivityOpen } from './open-activities.js';
import type { OpenStores } from './open-stores.js';
import { runAttempt } from './stage-attempt.js';
import { stageOwner } from './stage-owner.js';
import type { StageContext, StageProduct } from './stage.js';

type Work = (context: StageContext) => Promise<StageProduct>;

export function runStageHere(stores: OpenStores, kind: StageKind, work: Work, input: StageInput): Promise<StageOutput> {
  return runAttempt(stores, input, (report) =>
    stores.use(input.store, (store) => workOnce(store, kind, work, input, report)),
  );
}

function workOnce(
  store: ObjectStore,
  kind: StageKind,
  work: Work,
  input: StageInput,
  progress: (progress: Progress) => void,
): Promise<StageOutput> {
  const { stageKey, preimage, uses } = input;
  const { cancellationSignal: signal, client } = Context.current();
  const isOpen: IsOpen = (owner, question) => isActivityOpen(client, owner, question);
  const claim = { stageKey, owner: stageOwner(), isOpen };
  return workUnderClaim(store, { ...claim, uses, preimage, declared: kind.outputs }, async (writer) => {
    const {
      outputs,
      facts,
      observations = {},
    } = await work({
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
    // A stage that acts has done so: it is recorded, also where the run was asked to end meanwhile.
    if (kind.reusable) signal.throwIfAborted();
    return { outputs, facts, observations, reproducible: kind.reproducible };
  });
}
