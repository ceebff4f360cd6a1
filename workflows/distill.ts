/**
 * A run: resolves the file to a plan, then follows the plan. It knows no stage kind. Every node is looked up by its stage
 * key first and run only when no result is recorded. History holds digests, never data.
 */
import { CancellationScope, isCancellation, log, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/common';
import type { PlanActivities } from '../activities/plan-activities.js';
import { activityNames } from '../config/activity-names.js';
import type { ArtifactRef } from '../config/artifact.js';
import type {
  DistillInput,
  NodeInput,
  NodeResult,
  Plan,
  PlanNode,
  RunEnd,
  RunResult,
  StageInput,
  StageOutput,
} from '../config/plan.js';
import { runDag } from './dag.js';
import { asRunFailure } from './failure.js';
import { RunBoard } from './run-board.js';

/** Light activities run on the queue of the workflow itself. */
const lightOptions = {
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
} satisfies ActivityOptions;

/** An open record only delays collection: a run that is over does not wait for its store longer than this. */
const closeRunOptions = { ...lightOptions, scheduleToCloseTimeout: '5m' } satisfies ActivityOptions;

const light = (options: ActivityOptions): PlanActivities => proxyActivities<PlanActivities>(options);

export async function distill(input: DistillInput): Promise<RunResult> {
  const board = new RunBoard();
  const runId = workflowInfo().workflowId;
  const { plan, planDigest } = await resolve(input);
  board.show(plan);
  const run = { runId, store: plan.store };
  try {
    await light(lightOptions)[activityNames.openRun]({ ...run, plan: plan.name, planDigest });
    const nodes = await runDag<PlanNode, NodeResult>(plan.nodes, {
      run: (node, needed) => runNode(plan, node, needed, board),
      skipped: ({ id }) => board.set(id, 'skipped'),
    });
    await close({ ...run, outcome: { status: 'completed', nodes: board.state.nodes } });
    return { nodes };
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      close({ ...run, outcome: { status: isCancellation(error) ? 'cancelled' : 'failed', nodes: board.state.nodes } }),
    );
    throw isCancellation(error) ? error : asRunFailure(error, 'run');
  }
}

/** What the file is, is for the activity to judge: a start by hand may send anything, or nothing. */
async function resolve(input: DistillInput | undefined) {
  const file: unknown = input?.file ?? null;
  try {
    return await light(lightOptions)[activityNames.resolvePlan](file);
  } catch (error) {
    throw isCancellation(error) ? error : asRunFailure(error, 'plan');
  }
}

async function runNode(
  plan: Plan,
  node: PlanNode,
  needed: Readonly<Record<string, NodeResult>>,
  board: RunBoard,
): Promise<NodeResult> {
  const inputs: Record<string, ArtifactRef> = {};
  for (const [name, { node: id, output }] of Object.entries(node.inputs)) {
    const artifact = needed[id]?.outputs[output];
    if (artifact) inputs[name] = artifact;
  }
  const input: NodeInput = {
    runId: workflowInfo().workflowId,
    plan: plan.name,
    store: plan.store,
    node: node.id,
    uses: node.uses,
    queue: node.queue,
    with: node.with,
    ...(node.numerics && { numerics: node.numerics }),
    inputs,
  };
  try {
    board.set(node.id, 'looking-up');
    const { outputs: recorded, why, polled, ...stage } = await lookUp(node, input);
    if (recorded) {
      board.set(node.id, 'reused', { why });
      return { outputs: recorded, stageKey: stage.stageKey, reused: true };
    }
    const unpolled = polled === false;
    board.set(node.id, 'running', { why, unpolled });
    const { outputs } = await runStage(node, { ...input, ...stage, ...(unpolled && { announce: true }) });
    board.set(node.id, 'done', { why });
    return { outputs, stageKey: stage.stageKey, reused: false };
  } catch (error) {
    board.set(node.id, isCancellation(error) ? 'cancelled' : 'failed');
    throw isCancellation(error) ? error : asRunFailure(error, node.id);
  }
}

const lookUp = (node: PlanNode, input: NodeInput) =>
  light({
    ...lightOptions,
    activityId: `${node.id}:lookup`,
    summary: `look up ${node.id}`,
    startToCloseTimeout: '10m',
    heartbeatTimeout: node.timeouts.heartbeatMs,
  })[activityNames.lookup](input);

async function runStage(node: PlanNode, input: StageInput): Promise<StageOutput> {
  const activities = proxyActivities<Record<string, (input: StageInput) => Promise<StageOutput>>>({
    activityId: node.id,
    summary: node.id,
    taskQueue: node.queue,
    startToCloseTimeout: node.timeouts.startToCloseMs,
    heartbeatTimeout: node.timeouts.heartbeatMs,
    retry: {
      initialInterval: node.retry.initialIntervalMs,
      backoffCoefficient: node.retry.backoffCoefficient,
      maximumInterval: node.retry.maximumIntervalMs,
    },
  });
  const stage = activities[node.activity];
  if (stage === undefined) throw new TypeError(`no activity ${node.activity}`);
  return stage(input);
}

async function close(end: RunEnd): Promise<void> {
  try {
    await light(closeRunOptions)[activityNames.closeRun](end);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the record of the run stays open', { error });
  }
}
