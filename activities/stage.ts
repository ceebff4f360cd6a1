/**
 * A stage: its kind, which is pure, and its work, which is loaded only where it is done. Work is done either in this process,
 * by a function, or in a child process, by a program that the composition root knows the path of.
 */
import type { ApprovalDecision } from '../config/approval.js';
import type { Json, JsonObject } from '../config/json.js';
import type { ProgramName } from '../config/child-phases.js';
import type { Progress } from '../config/child-protocol.js';
import type { StageInput } from '../config/plan.js';
import type { ScorerModule } from '../config/scorer-module.js';
import type { StageKind } from '../config/stage-kind.js';
import type { ArtifactRef, ObjectStore, StageWriter } from '../storage/index.js';
import type { SilenceLimits } from './child.js';

export interface Stage {
  readonly kind: StageKind;
  readonly work: StageWork;
}

/** Work that is a program of its own, in a child process. */
export interface ProgramWork {
  readonly program: ProgramName;
  /** Longest silence by phase. */
  readonly silenceLimitsMs: SilenceLimits;
  /** Scorers of the user's own, as the worker is configured with them: the program loads the module. */
  readonly scorers?: ScorerModule | undefined;
}

/** Work that is a function, in this process. */
interface FunctionWork {
  readonly run: (context: StageContext) => Promise<StageProduct>;
}

/** One of them; or both, of which the options choose. */
export type StageWork =
  FunctionWork | ProgramWork | (FunctionWork & ProgramWork & { readonly inChild: (options: JsonObject) => boolean });

/** Kinds of artifact by the names that a stage gives them. */
export type ArtifactKinds = Readonly<Record<string, string>>;

/** Those whose kind ends in `?` may be absent. */
export type InputsOf<Kinds extends ArtifactKinds> = {
  readonly [Name in keyof Kinds]: Kinds[Name] extends `${string}?` ? ArtifactRef | undefined : ArtifactRef;
};

/** What the function of a stage is given. The stage is claimed; what it returns is sealed. */
export interface StageContext<Options extends JsonObject = JsonObject, Inputs extends ArtifactKinds = ArtifactKinds> {
  readonly options: Options;
  readonly inputs: InputsOf<Inputs>;
  /** The stages that made the inputs, where it is known: their results hold what was observed. */
  readonly makers: Readonly<Record<string, string>>;
  /** What the stage key is the digest of: where an option names data outside the store, the identity of that data. */
  readonly preimage: JsonObject;
  /** The run that this attempt is of: money is counted by it. */
  readonly runId: string;
  /** What a person decided, where one was asked. */
  readonly decision?: ApprovalDecision | undefined;
  readonly store: ObjectStore;
  /** Of the claimed stage: blobs and artifacts, and checkpoints for work that is long. */
  readonly writer: StageWriter;
  /** Shown to whoever watches, and kept for the next attempt. */
  readonly progress: (progress: Progress) => void;
  /** Aborted when the work should end: make it durable, then throw the reason. */
  readonly signal: AbortSignal;
}

export interface StageProduct<Outputs extends ArtifactKinds = ArtifactKinds> {
  /** Every output of the stage kind, each an artifact of its kind. */
  readonly outputs: { readonly [Name in keyof Outputs]: ArtifactRef };
  /** Deterministic: two executions of a reproducible stage must agree on them. */
  readonly facts: Json;
  /** Time, money, host: kept beside the facts, bind nothing. */
  readonly observations?: Json;
}

export interface ChildProgram {
  /** Absolute path of the compiled program. */
  readonly entry: string;
  /** The whole environment of the process, for libraries that read settings when they are loaded; absent: its parent's. */
  readonly environment?: (input: StageInput) => Promise<Readonly<Record<string, string>>>;
}

export type ChildPrograms = Readonly<Record<ProgramName, ChildProgram>>;
