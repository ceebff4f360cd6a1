/** Drift of a teacher, as the facts of a stage `canary` hold it. Pure: clients read it. */
import type { Json, JsonObject } from './json.js';

export interface TeacherDrift {
  /** Canary prompts, and how many of them are answered otherwise than at first. */
  readonly prompts: number;
  readonly changed: number;
  /** The run that was answered first. */
  readonly since: string;
  /** What the endpoint calls what answers, where it is another now. */
  readonly served?: { readonly before: string; readonly now: string };
  /** The answers are drawn, since the endpoint takes no temperature: another one may be chance. */
  readonly sampled?: true;
}

/** Undefined for the facts of another stage. */
export function teacherDriftOf(facts: Json): TeacherDrift | undefined {
  const { prompts, changed, since, served, sampled } = objectOf(objectOf(facts)['drift']);
  if (typeof prompts !== 'number' || typeof changed !== 'number' || typeof since !== 'string') return undefined;
  const { before, now } = objectOf(served);
  const isOther = typeof before === 'string' && typeof now === 'string';
  return {
    prompts,
    changed,
    since,
    ...(isOther && { served: { before, now } }),
    ...(sampled === true && { sampled }),
  };
}

/** A line for each kind of drift; none where the teacher answers as it did. */
export const driftLines = ({ prompts, changed, since, served, sampled }: TeacherDrift): string[] => [
  ...(changed > 0
    ? [
        `${changed} of ${prompts} canary prompts are answered otherwise than in run ${since}${sampled ? ', maybe by chance: the teacher takes no temperature' : ''}`,
      ]
    : []),
  ...(served ? [`what answers calls itself ${served.now}, and ${served.before} in run ${since}`] : []),
];

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
