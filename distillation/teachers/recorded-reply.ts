/** A reply as the ledger keeps it: what it says, what answered, and what it cost. */
import type { NanoUsd, RecordedResponse } from '../responses/index.js';
import { readReply, type Reply } from './chat-reply.js';

export interface RecordedReply extends Reply {
  /** Undefined where no prices were given when it was asked. */
  readonly cost: NanoUsd | undefined;
}

/** @throws teacher-reply-invalid for what another release recorded and this one cannot read */
export const recordedReply = ({ content, price }: RecordedResponse): RecordedReply => ({
  ...readReply(content.body),
  ...(content.servedFingerprint !== null && { fingerprint: content.servedFingerprint }),
  cost: price?.nanoUsd,
});
