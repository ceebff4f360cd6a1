/** Plans of prompts that a teacher answers, and what the stage `answer` has left in a store. */
import { z } from 'zod';
import type { NodeResult } from '../../config/plan.js';
import {
  artifactRefSchema,
  lookupResult,
  openObjectStore,
  readArtifact,
  readBlob,
  type ArtifactRef,
  type Json,
  type ObjectStore,
} from '../../storage/index.js';
import type { CountingTeacher } from './counting-teacher.js';
import { until, type RunningProcess } from './processes.js';
import { keysOf } from './stage.js';

export async function inStore<Value>(url: string, look: (store: ObjectStore) => Promise<Value>): Promise<Value> {
  const store = await openObjectStore(url);
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

export const rowsOf = (url: string, artifact: ArtifactRef): Promise<Record<string, unknown>[]> =>
  inStore(url, async (store) => {
    const { parts } = await readArtifact(store, artifact);
    const texts = await Promise.all(parts.map(async (part) => Buffer.from(await readBlob(store, part)).toString()));
    return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as Record<string, unknown>);
  });

export const outputOf = (node: NodeResult | undefined, name: string): ArtifactRef =>
  artifactRefSchema.parse(node?.outputs[name]);

export const observationsOf = (url: string, node: NodeResult | undefined): Promise<Json | undefined> =>
  inStore(url, async (store) => (await lookupResult(store, node?.stageKey ?? ''))?.outcome.observations);

export const observedCalls = z.object({
  calls: z.object({ answered: z.number(), possiblyPaidTwice: z.object({ calls: z.number() }) }),
});

/** The keys whose responses lie in the store, each alone. */
export const recordedIn = (url: string): Promise<string[]> =>
  inStore(url, async (store) =>
    (await keysOf(store, 'responses/')).flatMap((key) => /\/single\/([0-9a-f]{64})\.json$/.exec(key)?.[1] ?? []),
  );

export const promptLines = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ id: `q${index}`, prompt: `question ${index}` })}\n`,
  ).join('');

/** Without its endpoint. */
export const describedTeacher = {
  model: 'large',
  revision: '2026-11',
  terms: { licence: 'MIT', allowsTraining: 'yes' },
  limits: { attempts: 2 },
};

export interface AnswerPlan {
  readonly store: string;
  readonly dataset: string;
  readonly teacher: object;
  readonly answer?: Json;
  readonly top?: object;
  readonly heartbeatMs?: number;
  /** Stages behind the answers. Default: none. */
  readonly further?: readonly object[];
}

/** Import and answers. */
export const planOfAnswers = ({
  store,
  dataset,
  teacher,
  answer = {},
  top = {},
  heartbeatMs = 10_000,
  further = [],
}: AnswerPlan): Json =>
  ({
    name: 'answers',
    store,
    dataset,
    teacher,
    ...top,
    stages: [
      { id: 'import', uses: 'import' },
      {
        id: 'answer',
        uses: 'answer',
        needs: ['import'],
        with: answer,
        timeouts: { heartbeatMs },
        retry: { initialIntervalMs: 200, maximumIntervalMs: 1000 },
      },
      ...further,
    ],
  }) as unknown as Json;

/** Kills the worker that asks once so many requests were made. @returns how often each had been asked for of which a response is durable. */
export async function killAsking({ io, teacher, store, least }: KilledAsking): Promise<ReadonlyMap<string, number>> {
  await until('requests under way', () => teacher.asked.length >= least);
  io.signal('SIGKILL');
  await io.exited;
  const [recorded, before] = [await recordedIn(store), teacher.timesAsked];
  return new Map(recorded.map((key) => [key, before.get(key) ?? 0]));
}

interface KilledAsking {
  readonly io: RunningProcess;
  readonly teacher: CountingTeacher;
  /** URL. */
  readonly store: string;
  readonly least: number;
}
