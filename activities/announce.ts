/** Tells a run that a worker has taken a stage which nobody was there for, so that it stops saying so. */
import { Context } from '@temporalio/activity';
import type { StageInput } from '../config/plan.js';
import { stageStartedSignalName } from '../config/run-messages.js';

/** The notice is only shown: the stage does not fail with it, and does not wait for it. */
export function announceStart({ announce, node }: StageInput): void {
  if (!announce) return;
  const { client, info, log } = Context.current();
  if (info.workflowExecution === undefined) return;
  const { workflowId, runId } = info.workflowExecution;
  client.workflow
    .getHandle(workflowId, runId)
    .signal(stageStartedSignalName, node)
    .catch((error: unknown) => void log.debug('the run was not told that its stage has a worker', { error }));
}
