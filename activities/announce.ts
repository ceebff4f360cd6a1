/** Tells the run that a worker has taken a stage for which it shows "no worker", so that it clears the notice. */
import { Context } from '@temporalio/activity';
import type { StageInput } from '../config/plan.js';
import { stageStartedSignalName } from '../config/run-messages.js';

/** Only the notice depends on the signal: the stage neither waits for it nor fails with it. */
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
