/** What every evaluation is given, whoever gave the answers, and what its result says of how it was made. */
import type { Progress } from '../../config/child-protocol.js';
import type { EvaluateOptions } from '../../config/evaluate-options.js';
import type { Numerics } from '../../config/numerics.js';
import type { ArtifactRef, JsonObject, ObjectStore, StageOutcome, StageWriter } from '../../storage/index.js';
import type { ItemRow } from './items.js';

export interface EvaluationJob {
  readonly with: JsonObject;
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  readonly numerics: Numerics;
}

export interface JudgingPlace {
  readonly store: ObjectStore;
  /** Of the claimed stage. */
  readonly writer: StageWriter;
  readonly progress: (progress: Progress) => void;
  /** Aborted: what was scored is made durable, then the reason is thrown. */
  readonly stop: AbortSignal;
  readonly rows: () => AsyncIterable<ItemRow>;
  /** The SQLite file that the options name, if any. */
  readonly database: () => Promise<Uint8Array | undefined>;
  /** Path of the module with scorers of the user's own that this worker is configured with, if any. */
  readonly scorerModule: string | undefined;
}

export type EvaluationOutcome = Pick<StageOutcome, 'outputs' | 'facts' | 'observations' | 'reproducible'>;

/** The scorers that the options name, before it is known which of them this worker has. */
export function namesOf({ with: options }: EvaluationJob): string[] {
  const { scorers } = options;
  return Array.isArray(scorers) ? scorers.map(String) : [];
}

export interface Decoding {
  readonly sampling: 'greedy' | 'random';
  /** Where it is another than the options say. */
  readonly maximumTokens?: number;
}

export function identityOf(
  { inputs }: EvaluationJob,
  options: EvaluateOptions,
  { scores, decoding }: { readonly scores: ArtifactRef; readonly decoding: Decoding },
): JsonObject {
  const { maximumTokens, stop, context, sequences, sample } = options;
  const { resumedInexactlyAt } = scores;
  return {
    decoding: { maximumTokens, stop, context, sequences, ...decoding },
    ...(sample !== undefined && { sample }),
    scoresDigest: scores.digest,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { digest }]) => [name, digest])),
    ...(resumedInexactlyAt && { resumedInexactlyAt: [...resumedInexactlyAt] }),
  };
}
