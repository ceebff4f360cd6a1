/**
 * A run: resolves the file to a plan, then runs its nodes. It knows no stage kind. It fails with the code of the first failure,
 * unless somebody asked it to end. From the resolved plan on it also leaves a record in the store of how it ended, unless it is
 * terminated or the store stays away; a refused plan leaves none, for its store is not known. History holds digests, never data.
 */
import { CancellationScope, isCancellation, log, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/common';
import type { PlanActivities } from '../activities/plan-activities.js';
import { activityNames } from '../config/activity-names.js';
import type { DistillInput, NodeResult, Plan, PlanNode, ResolvedPlan, RunEnd, RunResult } from '../config/plan.js';
import type { FailureCode } from '../config/failures.js';
import { Approvals } from './approvals.js';
import { runDag, type DagEnd } from './dag.js';
import { askedToEnd, asRunFailure, describeFailure } from './failure.js';
import { lightOptions } from './light-options.js';
import { runNode } from './node.js';
import { RunBoard } from './run-board.js';
import { publishStatus, type RunStatus } from './search-attributes.js';

/** A run that is over waits no longer than this for its store: a record that stays open only delays collection. */
const closeRunOptions = { ...lightOptions, scheduleToCloseTimeout: '5m' } satisfies ActivityOptions;

const light = (options: ActivityOptions): PlanActivities => proxyActivities<PlanActivities>(options);

export async function distill(input: DistillInput): Promise<RunResult> {
  const board = new RunBoard();
  const shown: Shown = { board, approvals: new Approvals(board) };
  const resolved = await resolve(input);
  const { plan, searchable } = resolved;
  show(plan, shown);
  const publish = (status: RunStatus): void => (searchable ? publishStatus(plan.name, status) : undefined);
  publish('running');
  const { results, failures } = await followToEnd(input, resolved, shown);
  const failure = failures.find((error) => !isCancellation(error));
  const cancellation = askedToEnd(failures);
  const status = cancellation ? 'cancelled' : failures.length > 0 ? 'failed' : 'completed';
  publish(status);
  await close({
    runId: workflowInfo().workflowId,
    store: plan.store,
    outcome: {
      status,
      nodes: board.state.nodes,
      ...(failure !== undefined && { failure: describeFailure(asRunFailure(failure, 'run')) }),
    },
  });
  if (cancellation) throw cancellation;
  if (failures.length > 0) throw asRunFailure(failure ?? failures[0], 'run');
  return { nodes: results };
}

/** What the outside sees of the run, and answers. */
interface Shown {
  readonly board: RunBoard;
  readonly approvals: Approvals;
}

function show(plan: Plan, { board, approvals }: Shown): void {
  board.show(plan);
  approvals.show(plan);
}

/** The activity checks the file: whoever starts a workflow by hand may send anything, or nothing. */
async function resolve(input: DistillInput | undefined): Promise<ResolvedPlan> {
  const file: unknown = input?.file ?? null;
  try {
    return await light(lightOptions)[activityNames.resolvePlan](file);
  } catch (error) {
    throw askedToEnd([error]) ?? asRunFailure(error, 'plan');
  }
}

/** A run that others overtake this often competes with them for one name: it fails, so that somebody sees it. */
const mostResolutions = 4;

/**
 * Runs the nodes of the plan. When another run has promoted a model meanwhile, the plan is resolved again: finished stages are found by
 * their keys, and the gate decides against the model that serves now.
 */
async function followToEnd(input: DistillInput, first: ResolvedPlan, shown: Shown): Promise<DagEnd<NodeResult>> {
  let end = await follow(first, shown);
  for (let resolutions = 1; resolutions < mostResolutions && isOvertaken(end); resolutions += 1) {
    try {
      const resolved = await resolve(input);
      show(resolved.plan, shown);
      end = await follow(resolved, shown);
    } catch (error) {
      return { ...end, failures: [error] };
    }
  }
  return end;
}

/** Did it fail for that reason alone? Any other failure would only come again. */
function isOvertaken({ failures }: DagEnd<NodeResult>): boolean {
  const real = failures.filter((error) => !isCancellation(error));
  return real.length > 0 && real.every(isChampionMoved) && !CancellationScope.current().consideredCancelled;
}

const isChampionMoved = (error: unknown): boolean => describeFailure(asRunFailure(error, 'run')).code === championMoved;

const championMoved = 'champion-moved' satisfies FailureCode;

/** Nodes run in a cancellation scope of their own: a failure may end them all, and the run still closes its record. */
async function follow(
  { plan, planDigest, day }: ResolvedPlan,
  { board, approvals }: Shown,
): Promise<DagEnd<NodeResult>> {
  const { name, store, nodes, onFailure } = plan;
  try {
    await light(lightOptions)[activityNames.openRun]({
      runId: workflowInfo().workflowId,
      store,
      plan: name,
      planDigest,
      ...(day !== undefined && { day }),
    });
    const scope = new CancellationScope();
    return await scope.run(() =>
      runDag<PlanNode, NodeResult>(nodes, {
        run: (node, needed) => runNode(plan, node, needed, board, approvals),
        skipped: ({ id }) => board.set(id, 'skipped'),
        stop: () => scope.cancel(),
        onFailure,
        isCancellation,
      }),
    );
  } catch (error) {
    return { results: {}, failures: [error] };
  }
}

async function close(end: RunEnd): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => light(closeRunOptions)[activityNames.closeRun](end));
  } catch (error) {
    log.warn('the record of the run stays open', { error });
  }
}
