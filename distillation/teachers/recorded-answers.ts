/** The artifact `answers` read again: what was said to every prompt, also where it gave the dataset no row. */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { parseJson, readArtifact, readBlob, type ArtifactRef, type ObjectStore } from '../../storage/index.js';
import { answersFormat } from './answer-dataset.js';

const metaSchema = z.looseObject({
  format: z.literal(answersFormat),
  prompts: z.string(),
  decoding: z.object({ sampling: z.enum(['greedy', 'random']), maximumTokens: z.number() }),
});

const count = z.int().nonnegative();

const answerSchema = z.looseObject({
  prompt: z.string(),
  sample: count,
  fate: z.enum(['answered', 'cut-off', 'refused', 'empty', 'rejected', 'failed', 'no-prompt']),
  /** Absent where there was no reply. */
  text: z.string().default(''),
  /** 0 where the endpoint counts none. */
  promptTokens: count.default(0),
  completionTokens: count.default(0),
});
export type RecordedAnswer = Readonly<z.output<typeof answerSchema>>;

export interface RecordedAnswers extends Pick<z.output<typeof metaSchema>, 'prompts' | 'decoding'> {
  /** To each prompt the first, by the id of its row. */
  readonly byPrompt: ReadonlyMap<string, RecordedAnswer>;
}

/** @throws artifact-invalid, object-missing, object-damaged */
export async function readAnswers(
  store: ObjectStore,
  answers: ArtifactRef,
  onRead: () => void,
): Promise<RecordedAnswers> {
  const { parts, meta } = await readArtifact(store, answers);
  const described = metaSchema.safeParse(meta);
  if (!described.success) throw invalid(answers, `answers of the format ${answersFormat}`, described.error);
  const byPrompt = new Map<string, RecordedAnswer>();
  for (const part of parts) {
    const lines = Buffer.from(await readBlob(store, part))
      .toString()
      .split('\n');
    for (const line of lines.filter((text) => text !== '')) {
      const parsed = answerSchema.safeParse(parseJson(line));
      if (!parsed.success) throw invalid(answers, 'what became of a request', parsed.error);
      if (parsed.data.sample === 0) byPrompt.set(parsed.data.prompt, parsed.data);
    }
    onRead();
  }
  const { prompts, decoding } = described.data;
  return { prompts, decoding, byPrompt };
}

const invalid = ({ uri }: ArtifactRef, expected: string, { issues: [issue] }: z.ZodError): NightstillError =>
  new NightstillError('artifact-invalid', `${uri}: expected ${expected}, found ${issue?.message ?? 'another'}`);
