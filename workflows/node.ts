/**
 * One node of a run: its result is looked up by its stage key first, and the stage runs only when none is recorded. The id of
 * the node is the id of the activity, so that operators address it: pause, reset, another queue.
 */
import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/plan-activities.js';
import { activityNames } from '../config/activity-names.js';
import type { ArtifactRef } from '../config/artifact.js';
import type { NodeInput, NodeResult, Plan, PlanNode, StageInput, StageOutput } from '../config/plan.js';
import type { Approvals } from './approvals.js';
import { asRunFailure, describeFailure } from './failure.js';
import { lightOptions } from './light-options.js';
import type { RunBoard } from './run-board.js';

/** Large datasets and models are identified by their content, and reading that takes time. */
const lookupTimeout = '10m';

/** @throws ApplicationFailure whose type is the code of what went wrong; CancelledFailure */
export async function runNode(
  plan: Plan,
  node: PlanNode,
  needed: Readonly<Record<string, NodeResult>>,
  board: RunBoard,
  approvals: Approvals,
): Promise<NodeResult> {
  const idle = Object.values(node.inputs).find(({ node: id }) => needed[id]?.unchanged !== undefined);
  if (idle)
    return leave(
      node,
      needed[idle.node]?.unchanged ?? idle.node,
      `unchanged: ${idle.node} had nothing to decide`,
      board,
    );
  const given = inputOf(plan, node, needed);
  try {
    board.set(node.id, 'looking-up');
    const decision = await approvals.decisionOn(node, given);
    const input = decision ? { ...given, decision } : given;
    if (decision) board.set(node.id, 'looking-up');
    const found = await lookUp(node, input);
    if ('unchanged' in found) return leave(node, node.id, found.why, board);
    const { outputs: recorded, why, ...stage } = found;
    if (recorded) {
      board.set(node.id, 'reused', { why });
      return { outputs: recorded, stageKey: stage.stageKey, reused: true };
    }
    board.set(node.id, 'running', { why });
    const { outputs } = await runStage(node, { ...input, ...stage });
    board.set(node.id, 'done', { why });
    return { outputs, stageKey: stage.stageKey, reused: false };
  } catch (error) {
    if (isCancellation(error)) {
      board.set(node.id, 'cancelled');
      throw error;
    }
    const failure = asRunFailure(error, node.id);
    const { code, message } = describeFailure(failure);
    board.set(node.id, 'failed', { why: `${code}: ${message}` });
    throw failure;
  }
}

/** A node whose decision was not needed, or that acts on such a decision: it is not run. */
function leave({ id }: PlanNode, unchanged: string, why: string, board: RunBoard): NodeResult {
  board.set(id, 'reused', { why, unchanged });
  return { outputs: {}, reused: true, unchanged };
}

function inputOf(plan: Plan, node: PlanNode, needed: Readonly<Record<string, NodeResult>>): NodeInput {
  const inputs: Record<string, ArtifactRef> = { ...node.artifacts };
  const makers: Record<string, string> = {};
  for (const [name, { node: id, output }] of Object.entries(node.inputs)) {
    const maker = needed[id];
    const artifact = maker?.outputs[output];
    if (artifact) inputs[name] = artifact;
    if (maker?.stageKey !== undefined) makers[name] = maker.stageKey;
  }
  return {
    runId: workflowInfo().workflowId,
    plan: plan.name,
    store: plan.store,
    node: node.id,
    uses: node.uses,
    queue: node.queue,
    with: node.with,
    ...(node.numerics && { numerics: node.numerics }),
    ...(node.fromChampion && { fromChampion: node.fromChampion }),
    inputs,
    makers,
  };
}

const lookUp = (node: PlanNode, input: NodeInput) =>
  proxyActivities<PlanActivities>({
    ...lightOptions,
    activityId: `${node.id}:lookup`,
    summary: `look up ${node.id}`,
    startToCloseTimeout: lookupTimeout,
    heartbeatTimeout: node.timeouts.heartbeatMs,
    // A plan that was resolved again looks up under the same id: Temporal refuses the second activity while the first is open.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  })[activityNames.lookup](input);

async function runStage(node: PlanNode, input: StageInput): Promise<StageOutput> {
  const activities = proxyActivities<Record<string, (input: StageInput) => Promise<StageOutput>>>({
    activityId: node.id,
    summary: node.id,
    taskQueue: node.queue,
    startToCloseTimeout: node.timeouts.startToCloseMs,
    heartbeatTimeout: node.timeouts.heartbeatMs,
    // A trainer that is asked to end makes its work durable first, and a device is free only when it is gone.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    // Attempts have no limit here: the activity itself counts those that achieved nothing.
    retry: {
      initialInterval: node.retry.initialIntervalMs,
      backoffCoefficient: node.retry.backoffCoefficient,
      maximumInterval: node.retry.maximumIntervalMs,
    },
  });
  const stage = activities[node.activity];
  // For the compiler alone: a proxy has an activity of every name.
  if (stage === undefined) throw new TypeError(`no activity ${node.activity}`);
  return stage(input);
}
