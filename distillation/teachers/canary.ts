/**
 * Canaries: a few prompts that a teacher behind an endpoint is asked greedily, once in every run. What was heard first for a declared
 * revision stays the baseline; what is heard otherwise later is drift. A run that is killed does not ask again what it has heard. An
 * endpoint that takes no temperature samples its answers: another answer may be chance, is reported as that, and changes nothing.
 */
import { z } from 'zod';
import { hasCode, NightstillError } from '../../config/errors.js';
import { isGreedy, type TeacherEndpoint } from '../../config/teacher-schema.js';
import {
  canonicalJson,
  digestOf,
  hexOf,
  type Digest,
  type Json,
  type JsonObject,
  type ObjectStore,
} from '../../storage/index.js';
import { createOnce, encodeRecord, readRecord, type RecordKind } from '../../storage/records/index.js';
import { canaryBaselineKey, requestKey, type Ledger, type Spending } from '../responses/index.js';
import { ask } from './ask.js';
import { chatRequest } from './chat-request.js';
import type { TeacherClient } from './client.js';
import { Pace } from './pace.js';
import { recordedReply } from './recorded-reply.js';
import { stopping } from './stopping.js';
import { servedLabel } from './wire.js';

export type CanaryTeacher = TeacherEndpoint & { readonly canary: NonNullable<TeacherEndpoint['canary']> };

const heardSchema = z.looseObject({
  prompt: z.string(),
  /** `rejected` where the endpoint refuses the request. */
  outcome: z.string(),
  text: z.string(),
  servedModel: z.string().nullable(),
  fingerprint: z.string().nullable(),
});
type Heard = z.output<typeof heardSchema>;

const baselineSchema = z.looseObject({ runId: z.string(), heard: z.array(heardSchema) });
type Baseline = z.output<typeof baselineSchema>;
const baselineKind: RecordKind<Baseline> = { kind: 'canary-baseline', version: 1, schema: baselineSchema };

export interface Drift {
  /** Prompts, and how many of them are answered otherwise than at first. */
  readonly prompts: number;
  readonly changed: number;
  /** The run that was answered first. */
  readonly since: string;
  /** The models and fingerprints that the endpoint names, where they are no longer those of the baseline. */
  readonly served?: { readonly before: string; readonly now: string };
  /** The answers are drawn: another one is no proof of another teacher. */
  readonly sampled?: true;
  /** Names the answers that changed; null while none has for certain. */
  readonly identity: Digest | null;
}

export interface CanaryRequest {
  readonly store: ObjectStore;
  readonly teacher: CanaryTeacher;
  readonly client: TeacherClient;
  readonly ledger: Ledger;
  /** Told what each reply has cost. */
  readonly spending: Spending;
  readonly runId: string;
  readonly signal: AbortSignal;
}

/** @throws budget-exhausted, the codes of a teacher that does not answer, and the reason of `signal` */
export async function askCanaries(request: CanaryRequest): Promise<Drift> {
  const greedy = isGreedy(request.teacher);
  const heard = await hearAll(request);
  const { runId, heard: before } = await baselineOf(request, heard);
  const changed = heard.filter((now, at) => !isSame(now, before[at])).length;
  const [servedBefore, servedNow] = [servedIn(before), servedIn(heard)];
  return {
    prompts: heard.length,
    changed,
    since: runId,
    ...(servedBefore !== servedNow && { served: { before: servedBefore, now: servedNow } }),
    ...(!greedy && { sampled: true }),
    identity: changed > 0 && greedy ? digestOf(canonicalJson(heard.map(({ outcome, text }) => [outcome, text]))) : null,
  };
}

const isSame = (one: Heard, other: Heard | undefined): boolean =>
  one.outcome === other?.outcome && one.text === other.text;

const servedIn = (heard: readonly Heard[]): string => [...new Set(heard.map(servedLabel))].toSorted().join(', ');

/** One after another: they are few, and the teacher has other work. */
async function hearAll(request: CanaryRequest): Promise<Heard[]> {
  const { teacher, client, ledger, runId, signal } = request;
  const { prompts, maximumTokens } = teacher.canary;
  const { stop, cut, end } = stopping(signal);
  const pace = new Pace(teacher.limits);
  const means = { teacher, client, pace, ledger, maximumTokens, stop: stop.signal, cut };
  const heard: Heard[] = [];
  try {
    for (const [at, prompt] of prompts.entries()) {
      const body = bodyOf(teacher, prompt);
      const key = keyOf(teacher, { body, at, runId });
      const recorded = (await ledger.find([key])).get(key);
      const answer = recorded ? recordedReply(recorded) : await ask(means, { key, body });
      const reply = typeof answer === 'string' ? undefined : answer;
      if (reply) request.spending.add(key, reply.cost);
      heard.push({
        prompt,
        outcome: typeof answer === 'string' ? answer : answer.outcome,
        text: reply?.text ?? '',
        servedModel: reply?.servedModel ?? null,
        fingerprint: reply?.fingerprint ?? null,
      });
    }
  } finally {
    end();
  }
  return heard;
}

function bodyOf({ model, tokenLimitField, omittedFields, canary }: CanaryTeacher, prompt: string): JsonObject {
  const { maximumTokens } = canary;
  return chatRequest(
    { id: 'canary', messages: [{ role: 'user', content: prompt }] },
    { model, tokenLimitField, omittedFields, maximumTokens, temperature: 0, topP: 1, seed: 0 },
    0,
  );
}

/** A key of this run: every run asks anew, and no answer to a prompt of a dataset is taken for that to a canary. */
function keyOf(
  { endpoint, model, revision }: CanaryTeacher,
  { body, at, runId }: { readonly body: JsonObject; readonly at: number; readonly runId: string },
): string {
  const asked = requestKey({ endpoint, model, revision, body, sample: at });
  return hexOf(digestOf(canonicalJson({ asked, canaryOf: runId })));
}

/** The first that is written down counts, for as long as prompts and revision are these. */
async function baselineOf({ store, teacher, runId }: CanaryRequest, heard: readonly Heard[]): Promise<Baseline> {
  const bodies = teacher.canary.prompts.map((prompt) => bodyOf(teacher, prompt));
  const key = canaryBaselineKey(teacher, hexOf(digestOf(canonicalJson(bodies))));
  const read = async (): Promise<Baseline | undefined> => (await readRecord(store, baselineKind, key))?.value;
  const before = await read();
  if (before) return before;
  const first: Baseline = { runId, heard: [...heard] };
  try {
    await createOnce(store, key, encodeRecord(baselineKind, first));
    return first;
  } catch (error) {
    const faster = hasCode(error, 'object-exists') ? await read() : undefined;
    if (faster) return faster;
    throw error;
  }
}

/** The identity that drift gave the teacher, out of an artifact of the stage. @throws record-invalid */
export function driftIdentityOf(meta: Json): string | null {
  const parsed = z.looseObject({ drift: z.string().nullable() }).safeParse(meta);
  if (parsed.success) return parsed.data.drift;
  throw new NightstillError('record-invalid', 'expected the identity of a teacher, found another artifact');
}
