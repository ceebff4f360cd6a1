/**
 * What an endpoint can do, as it shows when it is asked: which models it lists, which costs nothing, and, where a plan needs them,
 * how many log-probabilities it gives at each token of a prompt: one request of a token, and refused ones, which cost nothing.
 */
import { z } from 'zod';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import type { TeacherConnection } from './connection.js';
import { FailedCall } from './failed-call.js';

export interface TeacherCapabilities {
  /** Names of models; null where it lists none, as not every endpoint does. */
  readonly models: readonly string[] | null;
  /** So many most probable tokens at each token of a prompt, as were asked for; absent where none were. */
  readonly promptLogprobs?: number;
}

const listSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });
const scoredSchema = z.looseObject({
  choices: z.array(z.looseObject({ prompt_logprobs: z.array(z.unknown()) })).min(1),
});

/** What hosted endpoints cap it at. */
const usualCaps: readonly number[] = [20, 5, 1];

/**
 * @param needed `promptLogprobs`: so many at each token of a prompt
 * @throws teacher-unavailable, teacher-refused-key, teacher-incapable, teacher-missing; the reason of the signal
 */
export async function probeTeacher(
  connection: TeacherConnection,
  { model }: Pick<TeacherEndpoint, 'model'>,
  needed: { readonly promptLogprobs?: number },
  signal: AbortSignal,
): Promise<TeacherCapabilities> {
  const models = await listModels(connection, signal);
  const wanted = needed.promptLogprobs;
  if (wanted === undefined) return { models };
  for (const count of [wanted, ...usualCaps.filter((cap) => cap < wanted)]) {
    if (!(await givesPromptLogprobs(connection, model, count, signal))) continue;
    if (count < wanted) throw incapable(wanted, count);
    return { models, promptLogprobs: count };
  }
  throw incapable(wanted, 0);
}

/** Statuses of endpoints that keep their list to themselves. */
const statusesOfNoList: readonly unknown[] = [403, 404, 405, 501];

async function listModels(connection: TeacherConnection, signal: AbortSignal): Promise<readonly string[] | null> {
  try {
    const list = listSchema.safeParse(await connection.get({ path: '/models', what: 'a list of models' }, signal));
    return list.data?.data.map(({ id }) => id.slice(0, 200)) ?? null;
  } catch (error) {
    if (!(error instanceof FailedCall)) throw error;
    const { code, details } = error.failure;
    // What is no list is not what will be asked.
    if (code === 'teacher-reply-invalid' || statusesOfNoList.includes(details?.['status'])) return null;
    throw error.failure;
  }
}

async function givesPromptLogprobs(
  connection: TeacherConnection,
  model: string,
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  const request = { model, prompt: 'a a', max_tokens: 1, temperature: 0, prompt_logprobs: count };
  try {
    const reply = await connection.post(
      { path: '/completions', what: 'a completion' },
      request,
      `probe-prompt-logprobs-${count}`,
      signal,
    );
    return scoredSchema.safeParse(reply).success;
  } catch (error) {
    if (!(error instanceof FailedCall)) throw error;
    if (hasCode(error.failure, ...refusals)) return false;
    throw error.failure;
  }
}

/** How an endpoint says that it does not give so many, or none. */
const refusals = ['teacher-request-rejected', 'teacher-logprobs-capped', 'teacher-logprobs-missing'] as const;

const incapable = (wanted: number, found: number): NightstillError =>
  new NightstillError(
    'teacher-incapable',
    `expected an endpoint that gives the ${wanted} most probable tokens at each token of a prompt (prompt_logprobs), found ${found === 0 ? 'one that gives none' : `one that gives ${found}`}`,
    { details: { promptLogprobs: found } },
  );
