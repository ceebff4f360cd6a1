/**
 * What is shown of a run: how it stands, and the pace of its stages, which takes two looks to know. Pure: time is handed in,
 * nothing is asked.
 */
import type { NodeView, RunView } from '../../client/index.js';

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

export const startOfRun = (runId: string): ShownRun => ({
  view: { runId, plan: '', status: 'running', nodes: [], missingWorkers: [] },
  paces: {},
});

export const isOver = ({ status }: RunView): boolean => status !== 'running';

export const hasEnded = ({ status }: NodeView): boolean =>
  ['done', 'reused', 'failed', 'skipped', 'cancelled'].includes(status);

export function advance(before: ShownRun, view: RunView, nowMs: number): ShownRun {
  const paces: Record<string, Pace> = {};
  for (const { id, activity } of view.nodes) {
    const { phase, facts } = activity?.progress ?? {};
    if (activity === undefined || phase === undefined || facts?.done === undefined) continue;
    const known = before.paces[id];
    const goesOn = known?.phase === phase && known.attempt === activity.attempt && known.done <= facts.done;
    paces[id] = goesOn ? known : { phase, attempt: activity.attempt, done: facts.done, atMs: nowMs };
  }
  return { view, paces };
}

/** Milliseconds until the phase is done, at the pace seen so far; undefined before there is one. */
export function timeLeftMs({ activity }: NodeView, pace: Pace | undefined, nowMs: number): number | undefined {
  const { done, of } = activity?.progress?.facts ?? {};
  if (pace === undefined || done === undefined || of === undefined) return undefined;
  const perMs = (done - pace.done) / (nowMs - pace.atMs);
  return perMs > 0 && done <= of ? (of - done) / perMs : undefined;
}
