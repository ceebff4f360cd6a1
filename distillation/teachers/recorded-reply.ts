/** A reply as the ledger keeps it: what it says, what answered, and what it cost. */
import { z } from 'zod';
import type { NanoUsd, RecordedResponse } from '../responses/index.js';
import { chatWire, type Reply } from './chat-reply.js';
import type { Served, Wire } from './wire.js';

export type Recorded<Said extends Served> = Said & {
  /** Undefined where no prices were given when it was asked. */
  readonly cost: NanoUsd | undefined;
  /** When it came, and how long that took; absent where nobody wrote it down. */
  readonly timing?: Timing;
};

const timingSchema = z.looseObject({ latencyMs: z.number().nonnegative(), recordedAt: z.iso.datetime() });
export type Timing = Readonly<z.output<typeof timingSchema>>;
export type RecordedReply = Recorded<Reply>;

/** @throws teacher-reply-invalid for what another release recorded and this one cannot read */
export const recorded = <Said extends Served>(
  { recall }: Wire<Said>,
  { content, price, observations }: RecordedResponse,
): Recorded<Said> => {
  const { data: timing } = timingSchema.safeParse(observations);
  return {
    ...recall(content.body),
    ...(content.servedFingerprint !== null && { fingerprint: content.servedFingerprint }),
    cost: price?.nanoUsd,
    ...(timing && { timing }),
  };
};

export const recordedReply = (response: RecordedResponse): RecordedReply => recorded(chatWire, response);
