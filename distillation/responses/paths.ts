/** Where the responses of one teacher lie: single ones until they are compacted, shards, and a journal for every process. */
import { prefixes, segmentOf } from '../../storage/records/index.js';
import { teacherKey, type RequestKey, type TeacherIdentity } from './request-key.js';

export interface ResponsePaths {
  readonly singles: string;
  readonly shards: string;
  single(key: RequestKey): string;
  /** The index of a shard, by which it exists. */
  shard(id: string): string;
  rows(id: string): string;
  sessions(runId: string): string;
  session(runId: string, id: string): string;
}

/** @param teacher 64 hex digits, see `teacherKey` */
export function pathsOf(teacher: string): ResponsePaths {
  const root = `${prefixes.responses}${teacher}/`;
  const sessions = (runId: string): string => `${root}sessions/${segmentOf(runId)}/`;
  return {
    singles: `${root}single/`,
    shards: `${root}shards/`,
    single: (key) => `${root}single/${key}.json`,
    shard: (id) => `${root}shards/${id}.json`,
    rows: (id) => `${root}rows/${id}.jsonl`,
    sessions,
    session: (runId, id) => `${sessions(runId)}${id}.json`,
  };
}

/** What the canaries of a teacher were answered first. @param prompts names the prompts and how they are asked */
export const canaryBaselineKey = (teacher: TeacherIdentity, prompts: string): string =>
  `${prefixes.responses}${teacherKey(teacher)}/canaries/${prompts}.json`;

export const budgetKey = (budget: string): string => `${prefixes.budgets}${segmentOf(budget)}.json`;

/** `…/<name>.json` → the name. */
export const nameOf = (objectKey: string): string =>
  objectKey.slice(objectKey.lastIndexOf('/') + 1).replace(/\.json$/, '');
