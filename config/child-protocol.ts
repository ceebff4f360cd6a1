/**
 * What a stage's child process and its parent say to each other: JSON, one message a line, over a socket of their own (file
 * descriptor 3), so that nothing a library prints is taken for a message. And the one rule of silence: a child shows that it works by
 * what it counts, never by a clock. Pure.
 */
import type { Json, JsonObject } from './json.js';

/** Raised when an older parent could misread a newer child, or the other way round. */
export const childProtocolVersion = 1;

export const childLinkDescriptor = 3;

/** Where a child stands. The parent knows for each phase how long the child may be silent. */
export interface Progress {
  readonly phase: string;
  /** The last step that is durable, and the fence it was written under; a part of a step is a fraction. Absent before the first. */
  readonly durable?: { readonly step: number; readonly fence: number };
  /** Whatever else the stage likes to show, small. A reader draws a bar of `done`, `of` and `unit`, and names what it knows. */
  readonly facts?: ProgressFacts;
  /** It waits for other processes, without end, and looks again and again. */
  readonly waits?: true;
}

/**
 * Has the child done something since it said `before`? The same said again is no sign of life: a process that hangs may still have a
 * timer. Rates change by waiting, and count for nothing.
 */
export const showsWork = (before: Progress | undefined, now: Progress): boolean =>
  now.waits === true || before === undefined || countsOf(before) !== countsOf(now);

function countsOf({ phase, durable, facts = {} }: Progress): string {
  const { tokensPerSecond: _, ...counted } = facts;
  return JSON.stringify([phase, durable?.step, durable?.fence, counted]);
}

export type ProgressFacts = JsonObject & {
  /** How much of the phase is behind, of how much, counted in what: steps, bytes, rows. */
  readonly done?: number;
  readonly of?: number;
  readonly unit?: string;
  readonly loss?: number;
  readonly tokensPerSecond?: number;
};

/**
 * The channel of `node:diagnostics_channel` on which a worker says what its children report: for whoever has started the worker
 * and watches closer than Temporal does.
 */
export const childProgressChannel = 'nightstill.child-progress';

export interface ChildProgress {
  /** Of the plan. */
  readonly node: string;
  readonly pid: number;
  readonly progress: Progress;
}

/** A failure as it crosses the process boundary. */
export interface ChildFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly stack: string;
}

export type FromChild =
  | { readonly type: 'hello'; readonly version: number }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'ask'; readonly id: number; readonly question: Json }
  | { readonly type: 'result'; readonly value: Json }
  | { readonly type: 'failed'; readonly failure: ChildFailure };

export type ToChild =
  | { readonly type: 'job'; readonly job: Json }
  | { readonly type: 'answer'; readonly id: number; readonly value: Json }
  | { readonly type: 'refusal'; readonly id: number; readonly reason: string }
  | { readonly type: 'stop' };
