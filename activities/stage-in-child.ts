/**
 * A stage that works in a child process, as an activity: an attempt starts the child, heartbeats with its last durable step, and
 * stops it when Temporal says so. The child claims the stage and writes; this process only asks Temporal what the child wants to know.
 */
import { channel } from 'node:diagnostics_channel';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { childProgressChannel, type ChildProgress } from '../config/child-protocol.js';
import { NightstillError } from '../config/errors.js';
import type { Json } from '../config/json.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { artifactRefSchema, stageOwnerSchema, type StageOwner } from '../storage/index.js';
import { asJson } from './as-json.js';
import { superviseChild, type SilenceLimits } from './child.js';
import type { DeclaredOutputs } from './claimed-work.js';
import { isActivityOpen } from './open-activities.js';
import type { OpenStores } from './open-stores.js';
import { runAttempt } from './stage-attempt.js';
import { stageOwner } from './stage-owner.js';
import type { ChildProgram } from './stage.js';
import { stopWithinMs, type WorkerEnd } from './worker-end.js';

export interface StageProgram extends ChildProgram {
  readonly silenceLimitsMs: SilenceLimits;
  /** Absolute path, from the configuration of this worker and from nowhere else: what a plan says names no code. */
  readonly scorerModule?: string | undefined;
  readonly workerEnd: WorkerEnd;
}

/** What the child is given: the stage, in whose name it claims it, and what it has to make. */
export interface StageJob extends StageInput {
  readonly owner: StageOwner;
  readonly declared: DeclaredOutputs;
  readonly scorerModule: string | undefined;
}

const watched = channel(childProgressChannel);

const questionSchema = z.object({ isOpen: stageOwnerSchema, unreadable: z.literal('open').optional() });

const outputSchema = z.object({ outputs: z.record(z.string(), artifactRefSchema) });

export function runStageInChild(
  stores: OpenStores,
  { outputs: declared }: StageKind,
  { entry, environment, silenceLimitsMs, scorerModule, workerEnd }: StageProgram,
  input: StageInput,
): Promise<StageOutput> {
  return runAttempt(stores, input, async (report) => {
    const { cancellationSignal, client } = Context.current();
    const job: StageJob = { ...input, owner: stageOwner(), declared, scorerModule };
    const value = await superviseChild({
      entry,
      ...(environment && { environment: await environment(input) }),
      job: asJson(job),
      silenceLimitsMs,
      answer: async (asked) => {
        const { isOpen: other, ...question } = questionSchema.parse(asked);
        return isActivityOpen(client, other, question);
      },
      onProgress: (progress, pid) => {
        report(progress);
        if (pid !== undefined) watched.publish({ node: input.node, pid, progress } satisfies ChildProgress);
      },
      signal: cancellationSignal,
      stopWithinMs: (reason) => stopWithinMs(reason, workerEnd),
    });
    return parseOutput(value);
  });
}

function parseOutput(value: Json): StageOutput {
  const parsed = outputSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'child-protocol',
    `expected the outputs of a stage, found ${parsed.error.issues[0]?.message}`,
  );
}
