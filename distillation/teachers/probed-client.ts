/**
 * A teacher that is looked at before its first call: an endpoint that is not there, or refuses the key, is told before anything is
 * asked, and before any money is reserved for long. Looking costs nothing. Where nothing is asked, nobody looks.
 */
import { hasCode } from '../../config/errors.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import type { Json } from '../../storage/index.js';
import { probeTeacher, type TeacherCapabilities } from './capabilities.js';
import { openTeacherClient, type TeacherClient } from './client.js';
import { openConnection } from './connection.js';
import { FailedCall } from './failed-call.js';

export interface ProbedClient extends TeacherClient {
  /** What was seen, as it is recorded; undefined where nothing was asked. */
  readonly seen: () => Promise<Json | undefined>;
}

export function openProbedClient(teacher: TeacherEndpoint, apiKey: string | undefined): ProbedClient {
  const client = openTeacherClient(teacher, apiKey);
  const connection = openConnection(teacher, apiKey);
  let probe: Promise<TeacherCapabilities> | undefined;
  return {
    ...client,
    async ask(request, key, signal) {
      probe ??= probeTeacher(connection, teacher, {}, signal);
      try {
        await probe;
      } catch (error) {
        probe = undefined; // what passes is looked for again
        throw asFailedCall(error);
      }
      return client.ask(request, key, signal);
    },
    async seen() {
      const models = (await probe?.catch(() => undefined))?.models;
      if (models === undefined) return undefined;
      return {
        model: models === null ? 'no list of models' : models.includes(teacher.model) ? 'listed' : 'not listed',
      };
    },
  };
}

/** Nothing was asked yet: it costs nothing. */
const asFailedCall = (error: unknown): unknown =>
  hasCode(error) ? new FailedCall(error, error.retryable ? Infinity : 1, false) : error;
