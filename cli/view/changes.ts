/**
 * What changed between two moments of a run, as events: what `--json` prints, one a line, and what becomes a sentence where
 * the output is no terminal. Progress is told rarely, everything else at once.
 */
import type { JsonObject } from '../../config/json.js';
import { countOf } from './draw-node.js';
import { formatCount, formatDuration, formatLoss } from './format.js';
import { timeLeftMs, type NodeView, type RunStatus, type RunView } from './run-view.js';

export type RunEvent =
  | {
      readonly event: 'run';
      readonly run: string;
      readonly plan: string;
      readonly status: RunStatus;
      readonly failure?: string;
    }
  | { readonly event: 'notice'; readonly notice: string }
  | {
      readonly event: 'node';
      readonly node: string;
      readonly uses: string;
      readonly status: string;
      readonly why?: string;
    }
  | {
      readonly event: 'attempt';
      readonly node: string;
      readonly attempt: number;
      readonly lastFailure?: string;
    }
  | {
      readonly event: 'progress';
      readonly node: string;
      readonly phase: string;
      readonly facts: JsonObject;
      readonly durableStep?: number;
      readonly leftMs?: number;
    };

export class ChangeLog {
  readonly #progressEveryMs: number;
  readonly #toldAtMs = new Map<string, number>();
  #before: RunView | undefined;

  /** @param progressEveryMs how often the progress of one node is told within a phase */
  constructor(progressEveryMs: number) {
    this.#progressEveryMs = progressEveryMs;
  }

  changes(view: RunView, nowMs: number): RunEvent[] {
    const before = this.#before;
    this.#before = view;
    const events: RunEvent[] = [];
    if (view.plan !== '' && (before?.plan !== view.plan || before.status !== view.status)) events.push(runEvent(view));
    else if (before && before.status !== view.status && view.status !== 'running') events.push(runEvent(view));
    for (const node of view.nodes)
      events.push(
        ...this.#nodeChanges(
          before?.nodes.find(({ id }) => id === node.id),
          node,
          nowMs,
        ),
      );
    if (view.notice !== undefined && before?.notice !== view.notice)
      events.push({ event: 'notice', notice: view.notice });
    // The end of the run is told after the ends of its nodes.
    return [...events.filter(({ event }) => event !== 'run' || view.status === 'running'), ...endOf(events, view)];
  }

  *#nodeChanges(before: NodeView | undefined, node: NodeView, nowMs: number): Generator<RunEvent> {
    const { id, uses, status, why, activity } = node;
    if (before?.status !== status) {
      if (status !== 'waiting' && status !== 'looking-up')
        yield { event: 'node', node: id, uses, status, ...(why !== undefined && { why }) };
    }
    if (activity === undefined) return;
    const { attempt, lastFailure } = activity;
    if (attempt > 1 && before?.activity?.attempt !== attempt)
      yield { event: 'attempt', node: id, attempt, ...(lastFailure !== undefined && { lastFailure }) };
    if (activity.phase === undefined) return;
    const isNewPhase = before?.activity?.phase !== activity.phase;
    const isNews = isNewPhase || before?.activity?.facts?.done !== activity.facts?.done;
    if (!isNews || (!isNewPhase && nowMs - (this.#toldAtMs.get(id) ?? 0) < this.#progressEveryMs)) return;
    this.#toldAtMs.set(id, nowMs);
    const leftMs = timeLeftMs(node, nowMs);
    yield {
      event: 'progress',
      node: id,
      phase: activity.phase,
      facts: activity.facts ?? {},
      ...(activity.durableStep !== undefined && { durableStep: activity.durableStep }),
      ...(leftMs !== undefined && { leftMs: Math.round(leftMs) }),
    };
  }
}

const runEvent = ({ runId, plan, status, failure }: RunView): RunEvent => ({
  event: 'run',
  run: runId,
  plan,
  status,
  ...(failure !== undefined && { failure }),
});

const endOf = (events: readonly RunEvent[], { status }: RunView): RunEvent[] =>
  status === 'running' ? [] : events.filter(({ event }) => event === 'run');

/** The event as a sentence. */
export function sentenceOf(event: RunEvent): string {
  switch (event.event) {
    case 'run':
      return `run ${event.run} of ${event.plan || 'a plan'}: ${event.status}${event.failure === undefined ? '' : `: ${event.failure}`}`;
    case 'notice':
      return event.notice;
    case 'node':
      return `${event.node}: ${event.status}${event.why === undefined ? '' : ` (${event.why})`}`;
    case 'attempt':
      return `${event.node}: attempt ${event.attempt}${event.lastFailure === undefined ? '' : ` after ${event.lastFailure}`}`;
    case 'progress':
      return `${event.node}: ${progressOf(event)}`;
  }
}

function progressOf({ phase, facts, leftMs }: Extract<RunEvent, { event: 'progress' }>): string {
  const { done, of, unit, loss, tokensPerSecond } = facts as NonNullable<NonNullable<NodeView['activity']>['facts']>;
  return [
    phase,
    ...(done === undefined || of === undefined ? [] : [countOf(unit, done, of)]),
    ...(tokensPerSecond === undefined ? [] : [`${formatCount(tokensPerSecond)} tokens/s`]),
    ...(loss === undefined ? [] : [`loss ${formatLoss(loss)}`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(leftMs)} left`]),
  ].join(', ');
}
