import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { nodeViews } from '../../../client/node-views.js';
import { PayloadReader } from '../../../client/payloads.js';
import { RunHistory, type HistoryEvent } from '../../../client/run-history.js';
import { activityNames } from '../../../config/activity-names.js';
import type { ApprovalDecision, ApprovalQuestion } from '../../../config/approval.js';
import type { PlanNode, ResolvedPlan } from '../../../config/plan.js';

const node = (id: string, ...needs: string[]) =>
  ({
    id,
    uses: 'note',
    needs,
    inputs: {},
    with: {},
    activity: 'nightstill.note',
    queue: 'nightstill-io',
  }) as unknown as PlanNode;

const resolved = {
  plan: {
    name: 'nightly',
    store: 'file:///store',
    onFailure: 'finish-others',
    nodes: [node('gate'), node('promote', 'gate')],
  },
  planDigest: 'sha256:0',
} satisfies ResolvedPlan;

const question: ApprovalQuestion = {
  candidate: 'sha256:candidate',
  verdict: 'sha256:verdict',
  name: 'nightly',
  alias: 'champion',
  champion: null,
  reasons: [],
  scores: [],
};

const encoded = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });

/** A history that grows as the workflow of a run acts. */
class Acting {
  readonly history = new RunHistory(
    new PayloadReader(new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) }), 'run-1'),
  );

  async add(attributes: object): Promise<number> {
    const eventId = this.history.length + 1;
    await this.history.add([{ eventId, eventTime: { seconds: eventId }, ...attributes } as unknown as HistoryEvent]);
    return eventId;
  }

  async schedule(activityId: string, name: string = activityId): Promise<number> {
    const taskQueue = { name: 'nightstill-io' };
    return this.add({ activityTaskScheduledEventAttributes: { activityId, activityType: { name }, taskQueue } });
  }

  async done(activityId: string, name: string, result: unknown): Promise<void> {
    const scheduledEventId = await this.schedule(activityId, name);
    await this.add({ activityTaskCompletedEventAttributes: { scheduledEventId, result: encoded(result) } });
  }

  resolve = (): Promise<void> => this.done('1', activityNames.resolvePlan, resolved);
  ask = (): Promise<void> => this.done('promote:approval', activityNames.askApproval, question);

  /** The timer of a question that is asked. */
  async wait(): Promise<number> {
    const summary = defaultPayloadConverter.toPayload('promote');
    return this.add({
      timerStartedEventAttributes: { startToFireTimeout: { seconds: 60 } },
      userMetadata: { summary },
    });
  }

  /** The gate decides, and a person is asked. */
  async comeToQuestion(): Promise<void> {
    const found = { stageKey: 'k', preimage: {}, why: 'never run before' };
    await this.done('gate:lookup', activityNames.lookup, found);
    await this.done('gate', 'nightstill.note', { outputs: {} });
    await this.ask();
    await this.wait();
  }

  decide = (decision: ApprovalDecision): Promise<number> =>
    this.add({ workflowExecutionUpdateCompletedEventAttributes: { outcome: { success: encoded(decision) } } });

  get views() {
    return nodeViews(this.history, new Map());
  }

  get statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.views.map(({ id, status }) => [id, status]));
  }
}

const approved: ApprovalDecision = {
  node: 'promote',
  outcome: 'approved',
  by: 'alice',
  at: '2026-11-27T03:00:00.000Z',
  candidate: question.candidate,
  verdict: question.verdict,
};

let run: Acting;
beforeEach(async () => {
  run = new Acting();
  await run.resolve();
  await run.comeToQuestion();
});

describe('a plan that is followed anew, since what serves has changed', () => {
  it('has nothing done of it from the moment at which it is resolved again', async () => {
    await run.decide(approved);
    await run.done('promote:lookup', activityNames.lookup, { stageKey: 'k', preimage: {}, why: 'w' });
    const scheduledEventId = await run.schedule('promote');
    const failure = { applicationFailureInfo: { type: 'champion-moved' }, message: 'another one serves' };
    await run.add({ activityTaskFailedEventAttributes: { scheduledEventId, failure } });
    expect(run.statuses).toEqual({ gate: 'done', promote: 'failed' });

    await run.resolve();
    expect(run.statuses).toEqual({ gate: 'waiting', promote: 'waiting' });
    expect(run.views.flatMap(({ approval }) => approval ?? [])).toEqual([]);

    await run.schedule('gate:lookup', activityNames.lookup);
    expect(run.statuses).toEqual({ gate: 'looking-up', promote: 'waiting' });
    await run.comeToQuestion();
    expect(run.statuses).toEqual({ gate: 'done', promote: 'awaiting-approval' });
    expect(run.views[1]?.approval?.decision).toBeUndefined();
  });

  it('keeps all activities for whoever tells what happened', async () => {
    const before = run.history.activities.length;
    await run.resolve();
    expect(run.history.activities).toHaveLength(before + 1);
    expect(run.history.followed).toEqual([]);
  });
});

describe('a question to a person', () => {
  it('is told with its decision once, however often the decision was sent', async () => {
    await run.decide(approved);
    await run.decide(approved);
    expect(run.history.approvals.events).toMatchObject([
      { type: 'asked', node: 'promote' },
      { type: 'decided', node: 'promote', decision: approved },
    ]);
    const [asked] = run.history.approvals.events;
    expect(asked).toMatchObject({ untilMs: (asked?.atMs ?? 0) + 60_000 });
  });

  it('that nobody answers is told as expired', async () => {
    await run.add({ timerFiredEventAttributes: { startedEventId: run.history.length } });
    expect(run.history.approvals.events.at(-1)).toMatchObject({ type: 'decided', decision: { outcome: 'expired' } });
  });
});
