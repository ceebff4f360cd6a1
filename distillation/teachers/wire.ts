/**
 * How one kind of request goes over the wire: where it is sent, how what comes back is read, and what of it is recorded. A reply
 * means the same whenever it is read again: `recall` gives of what was kept what `read` gave of what came.
 */
import type { Json } from '../../storage/index.js';

/** What every reply tells of itself. */
export interface Served {
  readonly finishReason: string;
  /** The name that the endpoint gives to what answered. */
  readonly servedModel: string;
  readonly fingerprint?: string | undefined;
  /** Absent where the endpoint does not count. */
  readonly usage?: { readonly promptTokens: number; readonly completionTokens: number } | undefined;
}

/** What answered, as it is told and counted. */
export const servedLabel = ({ servedModel, fingerprint }: Label): string =>
  [servedModel, fingerprint].filter(Boolean).join(' ');

interface Label {
  readonly servedModel: string | null;
  readonly fingerprint?: string | null | undefined;
}

/** Where log-probabilities of a prompt are asked for. */
export const scoringPath = '/completions';

export interface Wire<Said extends Served> {
  /** Below the endpoint. */
  readonly path: string;
  /** What is expected, in messages: `a chat completion`. */
  readonly what: string;
  /** @throws teacher-reply-invalid */
  readonly read: (body: Json) => Said;
  /** The reply without what differs between two executions that say the same. */
  readonly keep: (body: Json, said: Said) => Json;
  /** @throws teacher-reply-invalid for what another release kept and this one cannot read */
  readonly recall: (kept: Json) => Said;
}
