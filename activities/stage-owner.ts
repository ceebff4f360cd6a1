/** In whose name a stage is claimed: the activity of a workflow that this code runs in. */
import { Context } from '@temporalio/activity';
import { NightstillError } from '../config/errors.js';
import type { StageOwner } from '../storage/index.js';

export function stageOwner(): StageOwner {
  const { namespace, workflowExecution, activityId, attempt } = Context.current().info;
  if (workflowExecution) return { namespace, ...workflowExecution, activityId, attempt };
  throw new NightstillError('unexpected', 'expected an activity of a workflow, found a standalone one');
}
