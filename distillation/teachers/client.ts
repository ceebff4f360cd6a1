/** A teacher behind an endpoint: a question is one request over a wire, and what comes back is read as an answer of the model that was asked. */
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import { isJsonObject, type Json, type JsonObject } from '../../storage/index.js';
import { confirmModel, type Reply } from './chat-reply.js';
import { openConnection } from './connection.js';
import { failedCall } from './failed-call.js';
import type { Served, Wire } from './wire.js';

export interface WholeReply<Said extends Served = Reply> {
  /** As it is recorded. */
  readonly body: Json;
  /** What it says. */
  readonly reply: Said;
  /** What the provider calls this reply, when it does. */
  readonly providerId: string | null;
}

export interface TeacherClient<Said extends Served = Reply> {
  readonly wire: Wire<Said>;
  /**
   * @param key names the request wherever it is asked again
   * @param signal ends the call
   * @throws FailedCall with a code and whether it may be tried again; the signal's reason
   */
  ask(request: JsonObject, key: string, signal: AbortSignal): Promise<WholeReply<Said>>;
}

export function openClient<Said extends Served>(
  teacher: TeacherEndpoint,
  apiKey: string | undefined,
  wire: Wire<Said>,
): TeacherClient<Said> {
  const connection = openConnection(teacher, apiKey);
  return {
    wire,
    async ask(request, key, signal) {
      const body = await connection.post(wire, request, key, signal);
      try {
        const reply = wire.read(body);
        confirmModel(reply, teacher.servedAs ?? teacher.model);
        return { body: wire.keep(body, reply), reply, providerId: providerIdOf(body) };
      } catch (error) {
        throw failedCall(error);
      }
    },
  };
}

function providerIdOf(body: Json): string | null {
  const id = isJsonObject(body) ? body['id'] : undefined;
  return typeof id === 'string' ? id.slice(0, 200) : null;
}
