/**
 * A teacher that is looked at before its first call: an endpoint that is not there, refuses the key or does not list the model is told
 * before anything is asked, and before any money is reserved for long. Looking costs nothing. Where nothing is asked, nobody looks.
 */
import { hasCode, NightstillError } from '../../config/errors.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import type { JsonObject } from '../../storage/index.js';
import { chatWire, type Reply } from './chat-reply.js';
import { openClient, type TeacherClient } from './client.js';
import { openConnection } from './connection.js';
import { FailedCall } from './failed-call.js';
import { listModels } from './listed-models.js';
import type { Served, Wire } from './wire.js';

export interface ProbedClient<Said extends Served = Reply> extends TeacherClient<Said> {
  /** What was seen, as it is recorded; undefined where nothing was asked. */
  readonly seen: () => Promise<JsonObject | undefined>;
}

/** Over the chat API. */
export const openProbedClient = (teacher: TeacherEndpoint, apiKey: string | undefined): ProbedClient =>
  openProbedClientOver(teacher, apiKey, chatWire);

export function openProbedClientOver<Said extends Served>(
  teacher: TeacherEndpoint,
  apiKey: string | undefined,
  wire: Wire<Said>,
): ProbedClient<Said> {
  const client = openClient(teacher, apiKey, wire);
  const connection = openConnection(teacher, apiKey);
  let looked: ReturnType<typeof listModels> | undefined;
  return {
    ...client,
    async ask(request, key, signal) {
      looked ??= listModels(connection, signal);
      try {
        confirmListed(teacher, await looked);
      } catch (error) {
        looked = undefined; // the next call looks again: the failure may have passed
        throw asFailedCall(error);
      }
      return client.ask(request, key, signal);
    },
    async seen() {
      const models = await looked?.catch(() => undefined);
      if (models === undefined) return undefined;
      if (!models?.length) return { model: 'no list of models' };
      return { model: isListed(teacher, models) ? 'listed' : 'listed under another name' };
    },
  };
}

const shownNames = 8;

/** Google lists `models/<name>`. */
const isListed = ({ model }: Pick<TeacherEndpoint, 'model'>, models: readonly string[]): boolean =>
  models.includes(model) || models.includes(`models/${model}`);

/** A list without any model says nothing, nor does one of an endpoint whose models have several names. */
function confirmListed({ model, servedAs }: TeacherEndpoint, models: readonly string[] | null): void {
  if (!models?.length || servedAs !== undefined || isListed({ model }, models)) return;
  const others = models.length > shownNames ? `, and ${models.length - shownNames} more` : '';
  const found = `${models.slice(0, shownNames).join(', ')}${others}`;
  throw new NightstillError(
    'teacher-missing',
    `expected the model "${model}" among those that the endpoint lists, found ${found}`,
    { details: { model, listed: models.length } },
  );
}

/** Nothing was asked yet: it costs nothing. */
const asFailedCall = (error: unknown): unknown =>
  hasCode(error)
    ? new FailedCall(error, { tries: error.retryable ? Infinity : 1, maybePaid: false, isAway: error.retryable })
    : error;
