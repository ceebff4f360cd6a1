/**
 * What a plan file says, as types alone, for applications that write one in TypeScript. The file is checked where a run is
 * resolved, by `plan-schema.ts`. Pure.
 */
import type { JsonObject } from './json.js';

export interface PlanFileInput {
  /** Of the plan, the same night after night: 1 to 63 characters of a-z 0-9 . _ - */
  readonly name: string;
  /** URL of the object store: `file:///directory` or `s3://bucket/prefix`. Without credentials. */
  readonly store: string;
  /** A model directory, with its terms where it answers, or an endpoint that speaks the chat API of OpenAI. */
  readonly teacher?: string | { readonly model: string; readonly terms: TeacherInput['terms'] } | TeacherInput;
  /** A model directory, or which layers of the teacher to begin with. `start: 'champion'`: a night trains from what serves. */
  readonly student?:
    | string
    | { readonly model: string; readonly start?: 'base' | 'champion' }
    | { readonly layers: readonly number[] | { readonly every: number } };
  /** JSONL or Parquet: a file or an object, all under a place that ends in `/`, or a glob; of one day or of a window. */
  readonly dataset?: string | DatasetInput;
  /** As `dataset`: rows that are never trained on. */
  readonly evaluation?: string | DatasetInput;
  /** Options of the stage answer of the standard plan, whose teacher is an endpoint. */
  readonly answer?: JsonObject;
  /** Options of the stage in which such a teacher answers the rows of `evaluation`, or `false`: then it is not measured. */
  readonly 'answer-evaluation'?: JsonObject | false;
  /** Options of the stage fine-tune of the standard plan. */
  readonly 'fine-tune'?: JsonObject;
  /** Options of the stage capture of the standard plan: with it, `{}` too, distill learns from logits that are captured first. */
  readonly capture?: JsonObject;
  /** Options of the stage distill of the standard plan. */
  readonly distill?: JsonObject;
  /** In the standard plan, a stage beside distill that differs in α alone: it learns with cross-entropy alone. */
  readonly control?: true;
  /** Options of the stages evaluate of the standard plan. Default: what the gates ask for is scored. */
  readonly evaluate?: JsonObject;
  /** So many training rows are asked of each student that is evaluated, to see how many answers it recites. Default: 0, none. */
  readonly reproduction?: number;
  /** Options of the stage promote of the standard plan, which has one if it has gates. */
  readonly promote?: JsonObject;
  readonly numerics?: NumericsInput;
  readonly onFailure?: 'fail-fast' | 'finish-others';
  /** Work that a crash may cost, as time: `5m`, or milliseconds. */
  readonly loseAtMost?: string | number;
  readonly onDifferentMachine?: 'continue' | 'wait';
  /** Refused unless a stage of the plan spends money. */
  readonly budget?: BudgetInput;
  /** What a student must prove. Refused unless a stage of the plan measures it. */
  readonly gates?: readonly JsonObject[];
  readonly schedule?: ScheduleInput;
  /** Default: the standard plan, from dataset to distilled student. */
  readonly stages?: readonly StageOfFileInput[];
}

export interface DatasetInput {
  readonly from: OneOrMore<string>;
  /** `7d`: as many days, each in the place of `{{scheduledDate}}` in `from`. */
  readonly window?: string;
  /** The last day of the window; default: that of the night. */
  readonly until?: string;
}

export interface TeacherInput {
  /** `https://host/v1`. */
  readonly endpoint: string;
  readonly model: string;
  /** Declared: an endpoint has no digest. */
  readonly revision: string;
  /** The name that its replies bear, where it is not that of the model. */
  readonly servedAs?: string;
  /** The field that bounds an answer. */
  readonly tokenLimitField?: 'max_tokens' | 'max_completion_tokens';
  /** Fields that its requests leave out, since it refuses them. */
  readonly omittedFields?: readonly ('temperature' | 'top_p' | 'seed' | 'n')[];
  /** The name of a secret that the io workers are configured with. */
  readonly apiKey?: string;
  readonly plainHttp?: boolean;
  readonly terms: {
    readonly licence: string;
    readonly allowsTraining: 'yes' | 'no' | { readonly approvedBy: string };
  };
  /** `asOf`: the day on which these were its prices, `2026-11-27`. */
  readonly prices?: {
    readonly inputUsdPerMillion: number;
    readonly outputUsdPerMillion: number;
    readonly asOf: string;
  };
  readonly limits?: {
    readonly parallel?: number;
    readonly requestsPerMinute?: number;
    readonly tokensPerMinute?: number;
    readonly timeout?: string | number;
    readonly attempts?: number;
  };
  /** Prompts that tell whether it has changed behind its revision. */
  readonly canary?: {
    readonly prompts: readonly string[];
    readonly maximumTokens?: number;
    readonly onDrift?: 'report' | 'ask-again';
  };
  /** Answers that are older are asked for again: `30d`. */
  readonly maxAge?: string;
}

export interface BudgetInput {
  /** Of each run. */
  readonly spendAtMostUsd: number;
  /** Of all runs together that share it. */
  readonly period?: {
    readonly every: 'day' | 'month';
    readonly spendAtMostUsd: number;
    readonly timeZone?: string;
    /** Default: `default`. */
    readonly name?: string;
  };
}

export interface StageOfFileInput {
  readonly id: string;
  /** The stage kind. */
  readonly uses: string;
  /** Ids of the stages that must be done first. */
  readonly needs?: readonly string[];
  /** Where an input comes from, `stage.output`, when the needs do not say it without doubt. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Options of the stage kind. */
  readonly with?: JsonObject;
  readonly timeouts?: { readonly startToCloseMs?: number; readonly heartbeatMs?: number };
  readonly retry?: {
    readonly initialIntervalMs?: number;
    readonly backoffCoefficient?: number;
    readonly maximumIntervalMs?: number;
  };
}

export interface NumericsInput {
  readonly runner?: 'tensorflow' | 'wasm';
  /** A release of TensorFlow: `2.21.0`. */
  readonly tensorflow?: string;
  readonly xla?: boolean;
  readonly precision?: 'float32' | 'bfloat16';
  readonly threads?: number;
}

/** When the plan is run: by `cron` or by `calendar`. A run that was started otherwise ignores it. */
export interface ScheduleInput {
  /** Five fields: `0 3 * * *`. */
  readonly cron?: OneOrMore<string>;
  readonly calendar?: OneOrMore<CalendarInput>;
  /** `Europe/Berlin`; default UTC. */
  readonly timeZone?: string;
  /** Each start is put off by a random time of up to this: `10m`. */
  readonly jitter?: string | number;
  /** A missed night is still started when it is late by no more than this; default `1h`. */
  readonly catchUp?: string | number;
}

type OneOrMore<Item> = Item | readonly Item[];

export interface CalendarInput {
  readonly minute?: OneOrMore<number>;
  readonly hour: OneOrMore<number>;
  readonly dayOfMonth?: OneOrMore<number>;
  readonly month?: OneOrMore<number>;
  /** `monday`. */
  readonly dayOfWeek?: OneOrMore<'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday'>;
}
