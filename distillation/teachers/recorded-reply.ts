/** A reply as the ledger keeps it: what it says, what answered, and what it cost. */
import type { NanoUsd, RecordedResponse } from '../responses/index.js';
import { chatWire, type Reply } from './chat-reply.js';
import type { Served, Wire } from './wire.js';

export type Recorded<Said extends Served> = Said & {
  /** Undefined where no prices were given when it was asked. */
  readonly cost: NanoUsd | undefined;
};
export type RecordedReply = Recorded<Reply>;

/** @throws teacher-reply-invalid for what another release recorded and this one cannot read */
export const recorded = <Said extends Served>(
  { recall }: Wire<Said>,
  { content, price }: RecordedResponse,
): Recorded<Said> => ({
  ...recall(content.body),
  ...(content.servedFingerprint !== null && { fingerprint: content.servedFingerprint }),
  cost: price?.nanoUsd,
});

export const recordedReply = (response: RecordedResponse): RecordedReply => recorded(chatWire, response);
