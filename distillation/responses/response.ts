/**
 * A recorded response: what the teacher said, which never changes, and beside it what was observed while it was asked. The
 * digest covers the first alone, so that it says whether two executions heard the same.
 */
import { z } from 'zod';
import { jsonSchema, type RecordKind } from '../../storage/records/index.js';
import { canonicalJson, digestOf, type Digest, type JsonObject } from '../../storage/index.js';
import { isNanoUsd, type NanoUsd } from './money.js';

export const nanoUsdSchema = z.custom<NanoUsd>((value) => typeof value === 'number' && isNanoUsd(value));
export const keySchema = z.string().regex(/^[0-9a-f]{64}$/);
const tokensSchema = z.number().int().nonnegative();

const contentSchema = z.looseObject({
  requestDigest: z.string(),
  endpoint: z.string(),
  model: z.string(),
  revision: z.string(),
  /** The model and the fingerprint that the reply names; null where it names none. */
  servedModel: z.string().nullable(),
  servedFingerprint: z.string().nullable(),
  /** The reply, without what differs between executions (ids, times). */
  body: jsonSchema,
  /** Null where the reply has none. */
  finishReason: z.string().nullable(),
  /** Null where the endpoint counts none. */
  usage: z.looseObject({ promptTokens: tokensSchema, completionTokens: tokensSchema }).nullable(),
});
/** What the teacher said. */
export type ResponseContent = z.output<typeof contentSchema>;

const priceSchema = z.looseObject({
  nanoUsd: nanoUsdSchema,
  /** The table by which it was counted: an id or a date. */
  prices: z.string(),
});
/** What a call has cost. */
export type Price = z.output<typeof priceSchema>;

const responseSchema = z.looseObject({
  key: keySchema,
  content: contentSchema,
  /** Null where no prices are given: not known, which is not 0. */
  price: priceSchema.nullable(),
  /** Of the call that was answered; the intent of this id has ended. */
  callId: z.string(),
  runId: z.string(),
  /** Times, latency, ids of the provider. */
  observations: jsonSchema,
});
export type RecordedResponse = z.output<typeof responseSchema>;

export const responseKind: RecordKind<RecordedResponse> = { kind: 'response', version: 1, schema: responseSchema };

/** Equal for equal answers, whenever and by whomever they were asked for. */
export const contentDigest = ({ content }: RecordedResponse): Digest => digestOf(canonicalJson(content as JsonObject));
