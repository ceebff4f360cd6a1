/**
 * Asking an endpoint how probable the tokens of a prompt are, at `/completions`: the prompt goes there as ids, and comes back with the
 * most probable tokens at each of its positions. Two spellings: `prompt_logprobs` names tokens by id and gives their text (vLLM,
 * nightstill serve); `echo` with `logprobs` names them by text (the first completions of OpenAI). What is recorded is what
 * was said, as arrays: a tenth of its JSON.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { ScoringForm, ScoringNeed } from '../../config/scoring-need.js';
import { isGreedy, type TeacherEndpoint } from '../../config/teacher-schema.js';
import type { Json, JsonObject } from '../../storage/index.js';
import { requestKey } from '../responses/index.js';
import type { Question } from './ask.js';
import { replyInvalid } from './chat-reply.js';
import { decodeScores, encodeScores, type PromptScores } from './prompt-scores.js';
import { readEchoed, readPromptLogProbabilities } from './scoring-reply.js';
import { scoringPath, type Served, type Wire } from './wire.js';

export interface ScoredPrompt extends Served {
  readonly scores: PromptScores;
}

const what = 'a completion with log-probabilities of its prompt';
/** Probabilities at a position may add up to a little more than 1: their logarithms are rounded. */
const tolerance = 1e-3;

type Scoring = ScoringNeed & { readonly teacher: TeacherEndpoint };

/** How probable are these tokens? @param drift what canaries say that the teacher is now; null: what its revision says */
export function scoringQuestion(
  { drift, ...scoring }: Scoring & { readonly drift: string | null },
  ids: Int32Array,
): Question {
  const { endpoint, model, revision } = scoring.teacher;
  const body = scoringRequest(scoring, ids);
  // Some servers put a token for the beginning of the text before the prompt.
  const promptTokens = ids.length + 1;
  return { key: requestKey({ endpoint, model, revision, body, sample: 0, drift }), body, promptTokens };
}

/** The same tokens and options give the same body: its digest is what a recorded score is found by. */
const scoringRequest = ({ form, k, teacher }: Scoring, ids: Int32Array): JsonObject => ({
  model: teacher.model,
  prompt: [...ids],
  // How the one token is sampled that the endpoint writes and nobody reads.
  ...(isGreedy(teacher) && { temperature: 0 }),
  stream: false,
  // vLLM refuses `max_tokens: 0` unless the prompt is echoed.
  ...(form === 'echo' ? { echo: true, logprobs: k, max_tokens: 0 } : { prompt_logprobs: k, max_tokens: 1 }),
});

/** Tokens that an answer may have: one, which nobody reads. */
export const scoredAnswerTokens = 1;

/** @param k how many of the most probable tokens are asked for */
export const scoringWire = (form: ScoringForm, k: number): Wire<ScoredPrompt> => ({
  path: scoringPath,
  what,
  read(body) {
    const { served, choice } = readServed(body);
    const scores =
      form === 'echo' ? readEchoed(choice, served.usage?.promptTokens) : readPromptLogProbabilities(choice);
    confirmMass(scores);
    confirmCount(scores, k);
    return { ...served, scores };
  },
  keep: (_, { servedModel, fingerprint = null, finishReason, usage = null, scores }) => ({
    model: servedModel,
    system_fingerprint: fingerprint,
    finish_reason: finishReason,
    usage: usage && { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens },
    scores: encodeScores(scores),
  }),
  recall(kept) {
    const parsed = keptSchema.safeParse(kept);
    if (!parsed.success) throw replyInvalid('a recorded score', parsed.error.issues[0]?.message ?? 'another form');
    const { scores, finish_reason, ...served } = parsed.data;
    return { ...servedOf(served, finish_reason), scores: decodeScores(scores) };
  },
});

const count = z.int().nonnegative();
const servedFields = {
  model: z.string().min(1),
  system_fingerprint: z.string().nullish(),
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count.default(0) }).nullish(),
};
const servedSchema = z.looseObject(servedFields);
/** The choices are looked at apart: there are hundreds of thousands of numbers in them. */
const choicesSchema = z.looseObject({ choices: z.array(z.unknown()).min(1) });
const keptSchema = z.looseObject({ ...servedFields, finish_reason: z.string(), scores: z.json() });

function readServed(body: Json): { readonly served: Served; readonly choice: Readonly<Record<string, unknown>> } {
  const [served, choices] = [servedSchema.safeParse(body), choicesSchema.safeParse(body)];
  const choice = choices.data?.choices[0];
  if (!served.success || typeof choice !== 'object' || choice === null) {
    const issue = (served.error ?? choices.error)?.issues[0];
    throw replyInvalid(what, `${issue?.path.join('.') || 'the reply'}: ${issue?.message ?? 'no choice'}`);
  }
  const fields = choice as Readonly<Record<string, unknown>>;
  const reason = fields['finish_reason'];
  return { served: servedOf(served.data, typeof reason === 'string' ? reason : 'none'), choice: fields };
}

const servedOf = (
  { model, system_fingerprint: fingerprint, usage }: z.output<typeof servedSchema>,
  finishReason: string,
): Served => ({
  servedModel: model,
  finishReason,
  ...(typeof fingerprint === 'string' && { fingerprint }),
  ...(usage && { usage: { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } }),
});

function confirmMass({ counts, logProbabilities }: PromptScores): void {
  let at = 0;
  for (const [position, entries] of counts.entries()) {
    let mass = 0;
    for (const value of logProbabilities.subarray(at, (at += entries))) mass += Math.exp(value);
    if (mass > 1 + tolerance || Number.isNaN(mass))
      throw new NightstillError(
        'distribution-invalid',
        `position ${position}: expected probabilities of at most 1 together, found ${mass}`,
      );
  }
}

/** An endpoint that gives fewer than it is asked for gives fewer everywhere. */
function confirmCount({ counts }: PromptScores, k: number): void {
  const most = counts.reduce((greatest, entries) => Math.max(greatest, entries), 0);
  if (counts.length === 0 || most >= k) return;
  throw new NightstillError(
    'teacher-logprobs-capped',
    `expected the ${k} most probable tokens at each position, found ${most}`,
    { details: { k, found: most } },
  );
}
