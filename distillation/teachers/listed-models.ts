/** What an endpoint shows when it is looked at, which costs nothing: the models that it lists. */
import { z } from 'zod';
import type { TeacherConnection } from './connection.js';
import { FailedCall } from './failed-call.js';

const listSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/** Statuses of endpoints that keep their list to themselves. */
const statusesOfNoList: readonly unknown[] = [403, 404, 405, 501];

/**
 * @returns names of models; null where the endpoint lists none, as not every one does
 * @throws teacher-unavailable, teacher-refused-key, teacher-missing; the reason of the signal
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
    const { code, details } = error.failure;
    // What is no list is not what will be asked.
    if (code === 'teacher-reply-invalid' || statusesOfNoList.includes(details?.['status'])) return null;
    throw error.failure;
  }
}
