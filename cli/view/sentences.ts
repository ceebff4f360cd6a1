/** What happened to a run, in sentences: for output that is no terminal. Progress is told rarely, everything else at once. */
import type { Approval, NodeView, RunEvent } from '../../client/index.js';
import { approvalCommand } from '../../config/approval.js';
import { countOf } from './draw-node.js';
import { formatDuration } from '../../config/format-duration.js';
import { formatCount, formatLoss } from './format.js';
import { timeLeftMs, type Pace, type ShownRun } from './run-view.js';

export class Sentences {
  readonly #progressEveryMs: number;
  readonly #told = new Map<string, { readonly phase: string; readonly attempt: number; readonly atMs: number }>();

  /** @param progressEveryMs how often the progress of one node is told within a phase */
  constructor(progressEveryMs: number) {
    this.#progressEveryMs = progressEveryMs;
  }

  of(event: RunEvent, { view, paces }: ShownRun, nowMs: number): string | undefined {
    switch (event.type) {
      case 'plan':
        return `run ${view.runId}: ${event.plan}, ${event.nodes.length} nodes`;
      case 'node':
        return nodeSentence(event.node, view.runId);
      case 'progress': {
        const node = view.nodes.find(({ id }) => id === event.node);
        return node && this.#progress(node, paces[node.id], nowMs);
      }
      case 'end':
        return `run ${view.runId}: ${event.status}`;
      case 'no-worker':
      case 'worker-found':
      case 'reconnecting':
      case 'reconnected':
        return holdUpSentence(event);
    }
  }

  #progress(node: NodeView, pace: Pace | undefined, nowMs: number): string | undefined {
    const { id, activity } = node;
    if (activity === undefined) return undefined;
    const { attempt, progress, lastFailure } = activity;
    const told = this.#told.get(id);
    const phase = progress?.phase ?? '';
    const isNews = told?.phase !== phase || told.attempt !== attempt;
    if (!isNews && nowMs - told.atMs < this.#progressEveryMs) return undefined;
    const again =
      attempt > 1 && told?.attempt !== attempt ? [`attempt ${attempt} after ${lastFailure?.code ?? 'a failure'}`] : [];
    const said = [...again, ...progressOf(node, timeLeftMs(node, pace, nowMs))];
    if (said.length === 0) return undefined;
    this.#told.set(id, { phase, attempt, atMs: nowMs });
    return `${id}: ${said.join(', ')}`;
  }
}

export type HoldUp = Extract<
  RunEvent,
  { readonly type: 'no-worker' | 'worker-found' | 'reconnecting' | 'reconnected' }
>;

/** What a run waits for that is none of its own, and that it is there again. */
export function holdUpSentence(event: HoldUp): string {
  switch (event.type) {
    case 'no-worker':
      return `no worker serves ${event.queue}${event.command === undefined ? '' : `: start one with \`${event.command}\``}`;
    case 'worker-found':
      return `a worker serves ${event.queue}`;
    case 'reconnecting':
      return `the Temporal server does not answer, and is asked again: ${event.failure.message}`;
    case 'reconnected':
      return 'the Temporal server answers again';
  }
}

function nodeSentence(
  { id, status, approval, why, startedAtMs, endedAtMs }: NodeView,
  runId: string,
): string | undefined {
  if (status === 'waiting' || status === 'looking-up') return undefined;
  if (status === 'awaiting-approval' && approval) return approvalSentence(approval, runId);
  if (status === 'done' && startedAtMs !== undefined && endedAtMs !== undefined)
    return `${id}: done in ${formatDuration(endedAtMs - startedAtMs)}`;
  return `${id}: ${status === 'running' ? 'runs' : status}${why === undefined ? '' : ` (${why})`}`;
}

const approvalSentence = ({ node, candidate, untilMs }: Approval, runId: string): string =>
  `${node}: waits for approval of ${candidate} until ${new Date(untilMs).toISOString()}: ${approvalCommand(runId, node)}`;

function progressOf({ activity }: NodeView, leftMs: number | undefined): string[] {
  const { phase, facts = {} } = activity?.progress ?? {};
  const { done, of, unit, loss, tokensPerSecond } = facts;
  return [
    ...(phase === undefined ? [] : [phase]),
    ...(done === undefined || of === undefined ? [] : [countOf(unit, done, of)]),
    ...(tokensPerSecond === undefined ? [] : [`${formatCount(tokensPerSecond)} tokens/s`]),
    ...(loss === undefined ? [] : [`loss ${formatLoss(loss)}`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(leftMs)} left`]),
  ];
}
