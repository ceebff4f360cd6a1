/** What an endpoint shows when it is looked at, which costs nothing: the models that it lists. */
import { z } from 'zod';
import type { TeacherConnection } from './connection.js';
import { FailedCall } from './failed-call.js';

const listSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/**
 * Fails only where every request would: nobody answers, or the key is refused. An endpoint that refuses its list for another reason may
 * be a teacher all the same; a 403, too, may concern the list alone.
 * @returns names of models; null where the endpoint shows none
 * @throws teacher-unavailable, teacher-refused-key; the reason of the signal
 */
export async function listModels(
  connection: TeacherConnection,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  try {
    const list = listSchema.safeParse(await connection.get({ path: '/models', what: 'a list of models' }, signal));
    return list.data?.data.map(({ id }) => id.slice(0, 200)) ?? null;
  } catch (error) {
    if (!(error instanceof FailedCall)) throw error;
    if (error.neverReached || error.failure.details['status'] === 401) throw error.failure;
    return null;
  }
}
