/**
 * What a stage kind says of itself. It is pure and apart from the code that runs it, so that a light worker can resolve a
 * plan, and compute stage keys, without any native part. `plugins/define-stage.ts` makes one and joins it to its work.
 */
import type { z } from 'zod';
import type { ApprovalNeed } from './approval.js';
import type { JsonObject } from './json.js';
import type { NodeRetry, NodeTimeouts } from './plan.js';
import type { ScoringNeed } from './scoring-need.js';
import type { StageRole } from './queues.js';

/** What an option outside the store names, and so how its identity is found. */
export type SourceKind = 'dataset' | 'model-directory' | 'teacher';

/**
 * `gates`: it measures whether a student passes them. `budget`: it spends money, and keeps to the cap. `teacher.canary`: it asks the
 * canaries of the teacher. `teacher.maxAge`: it asks again for what is too old.
 */
export type AppliedSection = 'gates' | 'budget' | TeacherSetting;
export type TeacherSetting = 'teacher.canary' | 'teacher.maxAge';

export interface StageInputKind {
  /** The kind of artifact that it takes. */
  readonly artifact: string;
  readonly optional?: boolean;
  /** The input that is not needed where this one is given. */
  readonly insteadOf?: string;
}

/** An option, and what it would have to be. */
export interface Disagreement {
  readonly option: string;
  readonly expected: string;
}

/**
 * What serves is looked up when the plan is resolved, and given to the stage as the option `champion`: `{ counter, digest }`, or
 * null where nothing serves.
 */
export interface ChampionUse {
  readonly name: string;
  readonly alias: string;
  /** The input that is compared with what serves. When it is what serves, there is nothing to decide, and the stage is not run. */
  readonly candidate: string;
  /** This input is made of the model that serves, by the stage that makes the input `like` of another. Absent: none is. */
  readonly measured?: { readonly input: string; readonly like: string } | undefined;
}

/** What a stage asks of an endpoint. */
export interface CallsOfStage {
  /** For each row of its input `dataset`, for each sample that these become, which nobody can count before, or in each run. */
  readonly each: 'row' | 'sample' | 'run';
  readonly requests: number;
  /** What they cost; absent where prices are not given. */
  readonly atMostUsd?: number | undefined;
  /** Does that hold what the prompts cost, or that of the answers alone? */
  readonly withPrompts: boolean;
}

export interface ReferenceNeed {
  /** Of a row; undefined: the answer that it ends with. */
  readonly field: string | undefined;
}

export interface StageKind {
  /** What a plan's `uses` names. */
  readonly kind: string;
  /** Raised when the output of the stage may change. Part of the stage key. */
  readonly version: number;
  /** Checks `with` and fills in defaults. Its output is JSON. */
  readonly options: z.ZodType<JsonObject>;
  /** Options that equal their default are left out of the stage key, so that a new option changes no old key. */
  readonly defaults: JsonObject;
  /** Options that name data outside the store. In the stage key, the identity of that data stands in their place. */
  readonly sources: Readonly<Record<string, SourceKind>>;
  /** The one of them whose rows the dataset that it makes consists of: they can be counted before it runs. */
  readonly rowsFrom?: string | undefined;
  /**
   * Options that a plan may give once, at its top, for all stages that are silent about them: option → name at the top. A stage that
   * takes an input of that name is not silent.
   */
  readonly shared: Readonly<Record<string, string>>;
  /** Sections at the top of a plan that this stage carries out: a plan that has one which no stage carries out is refused. */
  readonly applies: readonly AppliedSection[];
  /** Options that change how the work is done and not what comes out: they are left out of the stage key. */
  readonly immaterial: readonly string[];
  /** What it will ask of the endpoint that is its option `teacher`, beside answers; undefined: nothing. */
  readonly scores: (options: JsonObject) => ScoringNeed | undefined;
  /** Of a stage that buys much of an endpoint: the option that says what others will ask of it, and is found out first. */
  readonly foreseesScoring?: string | undefined;
  /** What its options come to in a run of that day (UTC, `2026-11-27`); undefined where the day changes nothing. */
  readonly onDay: (options: JsonObject, day: string) => JsonObject | undefined;
  /** Artifacts that it takes, by the name under which the work finds them. */
  readonly inputs: Readonly<Record<string, StageInputKind>>;
  /** Names of inputs of which exactly one must be given, by the options; as many such groups as there are choices. */
  readonly oneInputOf: (options: JsonObject) => readonly (readonly string[])[];
  /**
   * What of its options does not fit to those of the stages that make its inputs, or to what these observe; both by the names of the
   * inputs, `observed` as far as the kinds of the makers say it.
   */
  readonly disagreements: (
    options: JsonObject,
    makers: Readonly<Record<string, JsonObject>>,
    observed: Readonly<Record<string, readonly string[]>>,
  ) => readonly Disagreement[];
  /** Artifacts that it makes: name → kind of artifact. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly activity: string;
  /** Which workers can do it, with these options. */
  readonly role: (options: JsonObject) => StageRole;
  /** Which workers can do it at all: they register its activity. */
  readonly roles: readonly StageRole[];
  /** Do its bits depend on how numbers are computed, with these options? Then the plan's numerics are part of the stage key. */
  readonly numerics: (options: JsonObject) => boolean;
  /** Do two executions come to the same facts? */
  readonly reproducible: boolean;
  /** False: it acts, and so anew in every run. */
  readonly reusable: boolean;
  /** Of one that acts on a verdict, the input that holds it: what it refused stands while nothing changes, see `refusal.ts`. */
  readonly refusesBy?: string | undefined;
  /** Names of inputs of which it reads what was observed as well: which execution made them is then part of the stage key. */
  readonly observes: readonly string[];
  /** Of a stage that decides about what serves under a name. */
  readonly champion?: ((options: JsonObject) => ChampionUse) | undefined;
  /** With these options, does it have a model of this machine answer as a teacher? Then the plan says at its top what the terms of that are. */
  readonly needsTerms: (options: JsonObject) => boolean;
  /** With these options, what does it ask of an endpoint? Undefined: nothing, or nobody can say. */
  readonly calls: (options: JsonObject) => CallsOfStage | undefined;
  /** Of a stage that scores: the scorers that a plan can name. */
  readonly knownScorers: readonly string[];
  /** The numbers that it observes; undefined: nobody can say. */
  readonly knownObservations?: readonly string[] | undefined;
  /** With these options, does every row of its dataset need a reference? Undefined: no. */
  readonly needsReference: (options: JsonObject) => ReferenceNeed | undefined;
  /** With these options, is a person asked before it runs? */
  readonly approval: (options: JsonObject) => ApprovalNeed | undefined;
  readonly timeouts: NodeTimeouts;
  readonly retry: NodeRetry;
}
