/**
 * The share of samples that the teacher's own chat template would write with other tokens. The teacher is asked about the tokens of
 * the student; where its own would differ, it judges a form of conversation that it was not trained on, and a user should know.
 */
import type { ConversationEncoder, SampleSource, TokenShards } from '../../engine/index.js';
import { rowKey, tokenHash } from '../logits/index.js';

type Samples = Pick<SampleSource, 'samples' | 'read'>;

/** @param teachers undefined where the teacher has no chat template: null comes back. */
export async function unalignedShare(
  data: Samples,
  students: ConversationEncoder,
  teachers: ConversationEncoder | undefined,
  tokensOf: (encoder: ConversationEncoder) => Promise<TokenShards>,
): Promise<number | null> {
  if (teachers === undefined) return null;
  if (teachers.templateDigest === students.templateDigest) return 0;
  const others = await tokensOf(teachers);
  try {
    return await shareNotIn(data, await keysOf(others));
  } finally {
    await others.close();
  }
}

async function* keysIn({ samples, read }: Samples): AsyncGenerator<string> {
  for (let sample = 0; sample < samples; sample++) {
    const { id, ids } = await read(sample);
    yield rowKey(id, tokenHash(ids)).toString('latin1');
  }
}

async function keysOf(samples: Samples): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const key of keysIn(samples)) keys.add(key);
  return keys;
}

async function shareNotIn(data: Samples, keys: ReadonlySet<string>): Promise<number> {
  let unaligned = 0;
  for await (const key of keysIn(data)) if (!keys.has(key)) unaligned += 1;
  return Number((unaligned / data.samples).toFixed(4));
}
