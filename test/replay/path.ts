/** A path through workflow code: what it shows, how a run is made to take it, and where it leaves its files. */
import type { RunHandle } from '../../client/index.js';
import type { SmallNight } from '../support/small-night.js';

/** Recordings name it, so it is the same on every machine. */
export const recordingDirectory = '/tmp/nightstill-replay';

export interface Recording {
  readonly night: SmallNight;
  /** URL of an empty store of this path's own. */
  readonly store: string;
  /** The id of the run whose history is kept. */
  readonly runId: string;
}

export interface Path {
  readonly shows: string;
  /** How the run that is kept ends: its last event. */
  readonly ends: 'COMPLETED' | 'FAILED' | 'CANCELED';
  /** A type of event that only this path brings. */
  readonly holds?: string;
  readonly take: (recording: Recording) => Promise<void>;
}

export const settled = (handle: RunHandle): Promise<unknown> => handle.result().catch((error: unknown) => error);
