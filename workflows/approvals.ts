/**
 * Nodes that wait for a person. An answer is checked when it arrives: it must name the digests that the run asks about at that moment.
 * The first decision stands, and sending it again changes nothing. Waiting is bounded; a late answer is refused. When the plan is
 * resolved again the question has new digests, so old answers no longer match.
 */
import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/plan-activities.js';
import { activityNames } from '../config/activity-names.js';
import {
  isApprovalAnswer,
  type ApprovalAnswer,
  type ApprovalDecision,
  type ApprovalQuestion,
} from '../config/approval.js';
import { NightstillError } from '../config/errors.js';
import type { FailureCode } from '../config/failures.js';
import type { NodeInput, Plan, PlanNode } from '../config/plan.js';
import { approveUpdateName, rejectUpdateName } from '../config/run-messages.js';
import { asRunFailure } from './failure.js';
import { lightOptions } from './light-options.js';
import type { RunBoard } from './run-board.js';

const updates = {
  approved: defineUpdate<ApprovalDecision, [ApprovalAnswer]>(approveUpdateName),
  rejected: defineUpdate<ApprovalDecision, [ApprovalAnswer]>(rejectUpdateName),
};

type Outcome = keyof typeof updates;

interface Asked {
  readonly question: ApprovalQuestion;
  readonly untilMs: number;
  decision?: ApprovalDecision;
}

export class Approvals {
  readonly #board: RunBoard;
  /** Nodes of the plan that ask. */
  #asking: readonly string[] = [];
  readonly #asked = new Map<string, Asked>();

  constructor(board: RunBoard) {
    this.#board = board;
    for (const outcome of ['approved', 'rejected'] as const)
      setHandler(updates[outcome], (answer) => this.#take(outcome, answer), {
        validator: (answer) => this.#judge(outcome, answer),
        description: `the student is ${outcome}: { node, candidate, verdict, by, reason? }`,
      });
  }

  /** Of a plan that was resolved again, everything is asked again. */
  show({ nodes }: Plan): void {
    this.#asking = nodes.filter(({ approval }) => approval).map(({ id }) => id);
    this.#asked.clear();
  }

  /**
   * What a person decides on this node, or that nobody did in time; undefined where there is nothing to decide.
   * @throws ActivityFailure, CancelledFailure
   */
  async decisionOn({ id, approval }: PlanNode, input: NodeInput): Promise<ApprovalDecision | undefined> {
    if (approval === undefined) return undefined;
    const activities = proxyActivities<PlanActivities>({
      ...lightOptions,
      activityId: `${id}:approval`,
      summary: `what ${id} asks`,
      // A plan that was resolved again asks under the same id: Temporal refuses the second activity while the first is open.
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    });
    const question = await activities[activityNames.askApproval]({ ...input, approval });
    if (question === null) return undefined;
    const untilMs = Date.now() + approval.withinMs;
    const asked: Asked = { question, untilMs };
    this.#asked.set(id, asked);
    this.#board.asks({ ...question, node: id, untilMs });
    try {
      await condition(() => asked.decision !== undefined, approval.withinMs, { summary: id });
    } catch (error) {
      // The node was cancelled: it takes no answer any more.
      if (this.#asked.get(id) === asked) this.#asked.delete(id);
      throw error;
    }
    const { candidate, verdict } = question;
    asked.decision ??= { node: id, outcome: 'expired', candidate, verdict, at: new Date().toISOString() };
    this.#board.asks({ ...question, node: id, untilMs, decision: asked.decision });
    return asked.decision;
  }

  /** Called only after `#judge` has let the answer pass. */
  #take(outcome: Outcome, { node, candidate, verdict, by, reason }: ApprovalAnswer): ApprovalDecision {
    const asked = this.#asked.get(node);
    if (!asked) throw refused('approval-not-open', node, 'expected a node that waits for a decision, found none');
    asked.decision ??= {
      node,
      outcome,
      candidate,
      verdict,
      at: new Date().toISOString(),
      by,
      ...(reason !== undefined && { reason }),
    };
    return asked.decision;
  }

  /** The validator of the updates: synchronous, without effects. An answer that it refuses leaves nothing in the history. */
  #judge(outcome: Outcome, answer: unknown): void {
    if (!isApprovalAnswer(answer))
      throw refused('approval-invalid', 'answer', 'expected { node, candidate, verdict, by, reason? }, found another');
    const { node, candidate, verdict } = answer;
    const asked = this.#asked.get(node);
    if (!asked) throw this.#notAsked(node);
    const { question, untilMs, decision } = asked;
    if (candidate !== question.candidate || verdict !== question.verdict)
      throw refused(
        'approval-mismatch',
        node,
        `expected a decision on ${question.candidate} by the verdict ${question.verdict}, found one on ${candidate} by ${verdict}`,
      );
    // An answer may arrive in one task with the timer that ends the waiting, and is then judged before the timer fires.
    if (decision === undefined ? Date.now() >= untilMs : decision.outcome === 'expired')
      throw refused(
        'approval-not-open',
        node,
        `expected a decision before ${new Date(untilMs).toISOString()}, found one after it`,
      );
    if (decision && decision.outcome !== outcome)
      throw refused(
        'approval-conflict',
        node,
        `expected no other decision, found that ${decision.by} had ${decision.outcome} it`,
      );
  }

  #notAsked(node: string): Error {
    if (this.#asking.includes(node))
      return refused(
        'approval-not-open',
        node,
        'expected a node that waits for a decision, found one that does not yet',
      );
    const asking = this.#asking.length === 0 ? 'no node asks for an approval' : `one of ${this.#asking.join(', ')}`;
    return refused('approval-invalid', node, `expected a node that asks for an approval (${asking}), found "${node}"`);
  }
}

const refused = (code: FailureCode, place: string, message: string): Error =>
  asRunFailure(new NightstillError(code, message), place);
