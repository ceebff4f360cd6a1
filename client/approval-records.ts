/**
 * What the history of a run tells of its approvals: what was asked, until when, and what was decided. It is given event by event, and
 * needs no worker.
 */
import type { Approval, ApprovalDecision, ApprovalQuestion } from '../config/approval.js';
import type { HistoryEvent } from './run-history.js';
import type { PayloadReader } from './payloads.js';
import { millisecondsOf } from './timestamps.js';

/** What happened to a question, also to one of a plan that was left since. */
export type ApprovalEvent = { readonly node: string; readonly atMs: number } & (
  | { readonly type: 'asked'; readonly untilMs: number }
  | { readonly type: 'decided'; readonly decision: ApprovalDecision }
);

interface Asked {
  readonly question: ApprovalQuestion;
  /** Known when the workflow has begun to wait. */
  untilMs?: number;
  decision?: ApprovalDecision;
  /** Its waiting ended before its time: by a decision, or since the run was cancelled or follows its plan anew. */
  isLeft?: boolean;
}

export class ApprovalRecords {
  /** In the order of time. */
  readonly events: ApprovalEvent[] = [];
  readonly #asked = new Map<string, Asked>();
  /** The node whose waiting ends when this timer fires, by the event that started it. */
  readonly #timers = new Map<number, string>();

  constructor(readonly payloads: PayloadReader) {}

  /** What is asked of a node now, or was decided; undefined before the run waits for it, and when it was left undecided. */
  of(node: string): Approval | undefined {
    const { question, untilMs, decision } = this.#asked.get(node) ?? {};
    if (question === undefined || untilMs === undefined || this.wasLeft(node)) return undefined;
    return { ...question, node, untilMs, ...(decision && { decision }) };
  }

  /** Did its waiting end without a decision, and before its time? */
  wasLeft(node: string): boolean {
    const { isLeft = false, decision } = this.#asked.get(node) ?? {};
    return isLeft && decision === undefined;
  }

  /** An activity was asked what there is to decide; null for nothing. A question replaces that of before. */
  asks(node: string, question: ApprovalQuestion | null): void {
    if (question) this.#asked.set(node, { question });
    else this.#asked.delete(node);
  }

  /** @throws run-unreadable */
  async add(event: HistoryEvent, atMs: number): Promise<void> {
    const {
      timerStartedEventAttributes: started,
      timerFiredEventAttributes: fired,
      timerCanceledEventAttributes: cancelled,
    } = event;
    if (started) await this.#begin(event, atMs, atMs + (millisecondsOf(started.startToFireTimeout) ?? 0));
    if (fired) this.#expire(this.#timers.get(Number(fired.startedEventId)), atMs);
    if (cancelled) this.#leave(this.#timers.get(Number(cancelled.startedEventId)));
    const outcome = event.workflowExecutionUpdateCompletedEventAttributes?.outcome;
    if (outcome?.success) this.#decide((await this.payloads.value(outcome.success.payloads)) as ApprovalDecision);
  }

  /** The timer of a waiting node bears its id. */
  async #begin({ eventId, userMetadata }: HistoryEvent, atMs: number, untilMs: number): Promise<void> {
    const node = userMetadata?.summary && (await this.payloads.value([userMetadata.summary]));
    const asked = typeof node === 'string' ? this.#asked.get(node) : undefined;
    if (typeof node !== 'string' || !asked) return;
    asked.untilMs = untilMs;
    this.#timers.set(Number(eventId), node);
    this.events.push({ type: 'asked', node, atMs, untilMs });
  }

  #expire(node: string | undefined, atMs: number): void {
    const asked = node === undefined ? undefined : this.#asked.get(node);
    if (node === undefined || !asked) return;
    const { candidate, verdict } = asked.question;
    this.#decide({ node, outcome: 'expired', candidate, verdict, at: new Date(atMs).toISOString() });
  }

  #leave(node: string | undefined): void {
    const asked = node === undefined ? undefined : this.#asked.get(node);
    if (asked) asked.isLeft = true;
  }

  /** The first decision stands. One that was about another question has decided that one. */
  #decide(decision: ApprovalDecision): void {
    const { node, verdict } = decision;
    const asked = this.#asked.get(node);
    if (!asked || asked.decision || asked.question.verdict !== verdict) return;
    asked.decision = decision;
    // Temporal writes down what follows from a decision before the decision itself.
    this.events.push({ type: 'decided', node, atMs: Date.parse(decision.at), decision });
  }
}
