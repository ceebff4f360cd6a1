/**
 * What is shown of a run: how it stands, and the pace of its stages, which takes two looks to know. Pure: time is handed in,
 * nothing is asked.
 */
import type { NodeView, RunEvent, RunView } from '../../client/index.js';

/** Where the phase of a node stood when it was first seen: what its speed is measured from. */
export interface Pace {
  readonly phase: string;
  readonly attempt: number;
  readonly done: number;
  readonly atMs: number;
}

export interface ShownRun {
  readonly view: RunView;
  readonly paces: Readonly<Record<string, Pace>>;
  /** Why nothing newer is known. */
  readonly notice?: string;
}

/** Nothing was seen yet. */
export const startOfRun = (runId: string, nowMs: number): ShownRun => ({
  view: { runId, plan: '', status: 'running', startedAtMs: nowMs, nodes: [], missingWorkers: [] },
  paces: {},
});

export const isOver = ({ status }: RunView): boolean => status !== 'running';

export const hasEnded = ({ status }: NodeView): boolean =>
  ['done', 'reused', 'failed', 'skipped', 'cancelled'].includes(status);

/** The run after an event of `watch`. */
export function advance(shown: ShownRun, event: RunEvent, nowMs: number): ShownRun {
  const { view } = shown;
  switch (event.type) {
    case 'plan':
      return withPaces(shown, { ...view, plan: event.plan, nodes: event.nodes }, nowMs);
    case 'node':
      return withPaces(shown, withNode(view, event.node), nowMs);
    case 'progress': {
      const node = view.nodes.find(({ id }) => id === event.node);
      return node ? withPaces(shown, withNode(view, { ...node, activity: event.activity }), nowMs) : shown;
    }
    case 'no-worker': {
      const others = view.missingWorkers.filter(({ queue }) => queue !== event.queue);
      return { ...shown, view: { ...view, missingWorkers: [...others, event] } };
    }
    case 'worker-found': {
      const missingWorkers = view.missingWorkers.filter(({ queue }) => queue !== event.queue);
      return { ...shown, view: { ...view, missingWorkers } };
    }
    case 'reconnecting':
      return { ...shown, notice: `the Temporal server does not answer, and is asked again: ${event.failure.message}` };
    case 'reconnected':
      return { view, paces: shown.paces };
    case 'end': {
      const { status, failure } = event;
      const end = { status, endedAtMs: nowMs, missingWorkers: [], ...(failure && { failure }) };
      return { ...shown, view: { ...view, ...end } };
    }
  }
}

const withNode = (view: RunView, node: NodeView): RunView => ({
  ...view,
  nodes: view.nodes.map((other) => (other.id === node.id ? node : other)),
});

function withPaces(shown: ShownRun, view: RunView, nowMs: number): ShownRun {
  const paces: Record<string, Pace> = {};
  for (const { id, activity } of view.nodes) {
    const { phase, facts } = activity?.progress ?? {};
    if (activity === undefined || phase === undefined || facts?.done === undefined) continue;
    const known = shown.paces[id];
    const goesOn = known?.phase === phase && known.attempt === activity.attempt && known.done <= facts.done;
    paces[id] = goesOn ? known : { phase, attempt: activity.attempt, done: facts.done, atMs: nowMs };
  }
  const startedAtMs = Math.min(shown.view.startedAtMs ?? nowMs, ...view.nodes.map((node) => node.startedAtMs ?? nowMs));
  return { ...shown, view: { ...view, startedAtMs }, paces };
}

/** Milliseconds until the phase is done, at the pace seen so far; undefined before there is one. */
export function timeLeftMs({ activity }: NodeView, pace: Pace | undefined, nowMs: number): number | undefined {
  const { done, of } = activity?.progress?.facts ?? {};
  if (pace === undefined || done === undefined || of === undefined) return undefined;
  const perMs = (done - pace.done) / (nowMs - pace.atMs);
  return perMs > 0 && done <= of ? (of - done) / perMs : undefined;
}
