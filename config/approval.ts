/**
 * What a person is asked before a stage acts, and what is answered. An answer names what its giver has seen, by digest: it counts
 * for exactly that. Pure: workflows may import it.
 */

/** Of a node whose work waits for a person: which of its inputs the question is about, and how long it waits. */
export interface ApprovalNeed {
  /** The input that holds the verdict. A person is asked only where it is `pass`. */
  readonly verdict: string;
  /** The input that is the model which was judged. */
  readonly model: string;
  readonly withinMs: number;
}

/** What a person decides on. */
export interface ApprovalQuestion {
  /** Digest of the model that would be promoted. */
  readonly candidate: string;
  /** Digest of the verdict, which holds the facts: what was decided, why, on which scores, against which champion. */
  readonly verdict: string;
  readonly name: string;
  readonly alias: string;
  /** Digest of the model that serves; null where none does. */
  readonly champion: string | null;
  /** A line a requirement of the gate. */
  readonly reasons: readonly string[];
  readonly scores: readonly ApprovalScore[];
}

export interface ApprovalScore {
  readonly scorer: string;
  readonly items: number;
  /** Mean of the candidate, and its interval. */
  readonly value: number;
  readonly interval: { readonly lower: number; readonly upper: number; readonly level: number };
  /** Mean of the champion, where it was measured. */
  readonly champion?: number;
}

/** What is sent to a run, as `approve` or as `reject`. */
export interface ApprovalAnswer {
  /** Id of the node that waits. */
  readonly node: string;
  /** What the person has seen. */
  readonly candidate: string;
  readonly verdict: string;
  /** Who decides, as they call themselves. */
  readonly by: string;
  readonly reason?: string | undefined;
}

export interface ApprovalDecision {
  readonly node: string;
  /** `expired`: nobody decided in time. */
  readonly outcome: 'approved' | 'rejected' | 'expired';
  readonly candidate: string;
  readonly verdict: string;
  /** When it was decided, in ISO 8601, by the clock of the run. */
  readonly at: string;
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** A question of a run, and what was decided. */
export interface Approval extends ApprovalQuestion {
  readonly node: string;
  /** When the waiting ends, in milliseconds since 1970. */
  readonly untilMs: number;
  readonly decision?: ApprovalDecision | undefined;
}

/** Of a signature, which model cards and histories repeat, and of a reason. */
const longestSignature = 200;
const longestReason = 2000;

/** Whoever sends an update by hand may send anything. */
export function isApprovalAnswer(answer: unknown): answer is ApprovalAnswer {
  if (typeof answer !== 'object' || answer === null) return false;
  const { node, candidate, verdict, by, reason } = answer as Record<string, unknown>;
  return (
    [node, candidate, verdict].every((text) => typeof text === 'string') &&
    typeof by === 'string' &&
    by.trim() !== '' &&
    by.length <= longestSignature &&
    (reason === undefined || (typeof reason === 'string' && reason.length <= longestReason))
  );
}

/** How a decision is told in a line. */
export function sayDecision({ outcome, by = '', reason, at }: ApprovalDecision): string {
  if (outcome === 'expired') return `nobody decided until ${at}`;
  return `${outcome} by ${by}${reason === undefined ? '' : `: ${reason}`}`;
}

/** What shows the question and takes the answer. */
export const approvalCommand = (runId: string, node?: string): string =>
  `nightstill approve ${runId}${node === undefined ? '' : ` --node ${node}`}`;
