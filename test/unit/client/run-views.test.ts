import { nodeViews } from '../../../client/node-views.js';
import { changes } from '../../../client/run-events.js';
import type { ActivityRecord } from '../../../client/run-history.js';
import type { MissingWorker, NodeView, RunView } from '../../../client/run-view.js';
import type { Approval } from '../../../config/approval.js';
import type { PlanNode, ResolvedPlan } from '../../../config/plan.js';

const planNode = (id: string, ...needs: string[]): PlanNode => ({
  id,
  uses: 'import',
  needs,
  inputs: {},
  with: {},
  activity: 'nightstill.import',
  queue: 'nightstill-io',
  timeouts: { startToCloseMs: 1, heartbeatMs: 1 },
  retry: { initialIntervalMs: 1, backoffCoefficient: 1, maximumIntervalMs: 1 },
});

const planOf = (...nodes: PlanNode[]): ResolvedPlan => ({
  plan: { name: 'nightly', store: 'file:///store', onFailure: 'finish-others', nodes },
  planDigest: 'sha256:0',
});

const activity = (activityId: string, changed: Partial<ActivityRecord> = {}): ActivityRecord => ({
  activityId,
  queue: 'nightstill-io',
  scheduledAtMs: 1,
  ...changed,
});

const lookedUp = (id: string, outputs?: object): ActivityRecord =>
  activity(`${id}:lookup`, {
    end: 'completed',
    endedAtMs: 2,
    lookup: { stageKey: 'k', preimage: {}, why: 'w', ...(outputs && { outputs: outputs as never }) },
  });

const question: Approval = {
  node: 'a',
  candidate: 'sha256:candidate',
  verdict: 'sha256:verdict',
  name: 'nightly',
  alias: 'champion',
  champion: null,
  reasons: [],
  scores: [],
  untilMs: 9,
};

const ended = { status: 'failed', atMs: 9 } as const;

function statuses(plan: ResolvedPlan, activities: ActivityRecord[], end?: typeof ended, approval?: Approval) {
  return Object.fromEntries(
    nodeViews(
      { plan, followed: activities, end, approvals: { of: () => approval, wasLeft: () => false } },
      new Map(),
    ).map(({ id, status }) => [id, status]),
  );
}

describe('how a node stands, by the history of its run', () => {
  it('follows its lookup and its work', () => {
    const plan = planOf(planNode('a'));
    const all: [ActivityRecord[], string][] = [
      [[], 'waiting'],
      [[activity('a:lookup')], 'looking-up'],
      [[lookedUp('a')], 'running'],
      [[lookedUp('a'), activity('a')], 'running'],
      [[lookedUp('a', {})], 'reused'],
      [[lookedUp('a'), activity('a', { end: 'completed' })], 'done'],
      [[lookedUp('a'), activity('a', { end: 'failed' })], 'failed'],
      [[lookedUp('a'), activity('a', { end: 'timed-out' })], 'failed'],
      [[lookedUp('a'), activity('a', { end: 'cancelled' })], 'cancelled'],
      [[activity('a:lookup', { end: 'failed' })], 'failed'],
    ];
    for (const [activities, status] of all) expect(statuses(plan, activities)).toEqual({ a: status });
  });

  it('waits for a person from the question to the decision, and for nobody once the run is over', () => {
    const plan = planOf(planNode('a'));
    const asked = activity('a:approval', { end: 'completed', endedAtMs: 2 });
    const decided: Approval = { ...question, decision: { ...question, outcome: 'rejected', at: '', by: 'alice' } };
    const later = { ...lookedUp('a'), scheduledAtMs: 5, endedAtMs: 6 };
    const all: [ActivityRecord[], Approval | undefined, string][] = [
      [[activity('a:approval')], undefined, 'looking-up'],
      [[asked], question, 'awaiting-approval'],
      [[asked], decided, 'looking-up'],
      [[asked, later], decided, 'running'],
      [[asked, later, activity('a', { scheduledAtMs: 7, end: 'completed' })], decided, 'done'],
      [[activity('a:approval', { end: 'failed' })], undefined, 'failed'],
    ];
    for (const [activities, approval, status] of all)
      expect(statuses(plan, activities, undefined, approval)).toEqual({ a: status });
    expect(statuses(plan, [asked], ended, question)).toEqual({ a: 'cancelled' });
  });

  it('is skipped when something that it needs is lost, at whatever distance and wherever it stands in the file', () => {
    const plan = planOf(planNode('c', 'b'), planNode('b', 'a'), planNode('a'), planNode('d'));
    expect(statuses(plan, [lookedUp('a'), activity('a', { end: 'failed' })])).toEqual({
      a: 'failed',
      b: 'skipped',
      c: 'skipped',
      d: 'waiting',
    });
  });

  it('is skipped when the run is over before it, and cancelled when the run ended over it', () => {
    const plan = planOf(planNode('a'), planNode('b'));
    expect(statuses(plan, [lookedUp('a'), activity('a')], ended)).toEqual({ a: 'cancelled', b: 'skipped' });
  });
});

describe('what happened between two looks at a run', () => {
  const node = (status: NodeView['status'], changed: Partial<NodeView> = {}): NodeView => ({
    id: 'a',
    uses: 'import',
    needs: [],
    queue: 'nightstill-io',
    status,
    ...changed,
  });
  const view = (nodes: NodeView[], missingWorkers: MissingWorker[] = [], status: RunView['status'] = 'running') =>
    ({ runId: 'r', plan: 'nightly', status, nodes, missingWorkers }) satisfies RunView;
  const types = (before: RunView | undefined, now: RunView): string[] => [...changes(before, now)].map((e) => e.type);

  it('is nothing when nothing differs', () => {
    const now = view([node('running', { activity: { state: 'working', attempt: 1 } })], [{ queue: 'q', nodes: [] }]);
    expect(types(now, structuredClone(now))).toEqual([]);
  });

  it('is the plan once, then every change of a node, and progress within one status', () => {
    expect(types(undefined, view([]))).toEqual([]);
    expect(types(view([]), view([node('waiting')]))).toEqual(['plan']);
    expect(types(view([node('waiting')]), view([node('done')]))).toEqual(['node']);
    expect(types(undefined, view([node('done')], [], 'completed'))).toEqual(['plan', 'node']);
    const working = (attempt: number) => view([node('running', { activity: { state: 'working', attempt } })]);
    expect([...changes(working(1), working(2))]).toEqual([
      { type: 'progress', node: 'a', activity: { state: 'working', attempt: 2 } },
    ]);
  });

  it('is a worker that is missing, and one that is found while somebody still needs it', () => {
    const missing: MissingWorker = { queue: 'nightstill-io', nodes: ['a'] };
    const waiting = view([node('running')], [missing]);
    expect(types(view([node('running')]), waiting)).toEqual(['no-worker']);
    expect(types(waiting, view([node('running')]))).toEqual(['worker-found']);
    expect(types(waiting, view([node('reused')]))).toEqual(['node']);
    expect(types(waiting, view([node('cancelled')], [], 'cancelled'))).toEqual(['node']);
  });
});
