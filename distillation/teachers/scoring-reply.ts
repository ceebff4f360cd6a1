/** The two spellings of log-probabilities of a prompt, read into one form. Nothing is judged here but the form. */
import { NightstillError } from '../../config/errors.js';
import { replyInvalid } from './chat-reply.js';
import type { PromptScores } from './prompt-scores.js';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `prompt_logprobs` of a choice: null for the first token, then `{ <id>: { logprob, decoded_token } }`, the token itself among them.
 * @throws teacher-logprobs-missing, teacher-reply-invalid
 */
export function readPromptLogProbabilities({ prompt_logprobs: positions }: Fields): PromptScores {
  if (!Array.isArray(positions) || positions.length === 0) throw missing('prompt_logprobs', positions);
  const entries = new Entries();
  const texts = new Map<number, string>();
  for (const [place, position] of positions.entries()) {
    if (place === 0) continue;
    if (!isFields(position)) throw malformed(`prompt_logprobs[${place}]`);
    for (const [name, entry] of Object.entries(position)) {
      const id = Number(name);
      if (!Number.isSafeInteger(id) || id < 0 || id >= 2 ** 31 || !isFields(entry))
        throw malformed(`prompt_logprobs[${place}]`);
      entries.add(id, entry['logprob'], `prompt_logprobs[${place}]`);
      if (typeof entry['decoded_token'] === 'string') texts.set(id, entry['decoded_token']);
    }
    entries.close();
  }
  return { namedBy: 'id', ...entries.arrays, texts, prompt: new Int32Array() };
}

/**
 * `logprobs` of a choice that echoes its prompt: `{ tokens, token_logprobs, top_logprobs: [null, { <text>: number }] }`.
 * @param promptTokens how many there are, when the endpoint counts them: what follows is its answer
 * @throws teacher-logprobs-missing, teacher-reply-invalid
 */
export function readEchoed({ logprobs }: Fields, promptTokens: number | undefined): PromptScores {
  if (!isFields(logprobs) || !Array.isArray(logprobs['top_logprobs'])) throw missing('logprobs', logprobs);
  const { tokens, token_logprobs: own, top_logprobs: top } = logprobs;
  if (!Array.isArray(tokens) || !Array.isArray(own) || !tokens.every((token) => typeof token === 'string'))
    throw malformed('logprobs.tokens');
  const length = Math.min(promptTokens ?? tokens.length, tokens.length);
  const [entries, names] = [new Entries(), new Names()];
  for (let place = 1; place < length; place += 1) {
    const position: unknown = top[place];
    if (!isFields(position)) throw malformed(`logprobs.top_logprobs[${place}]`);
    for (const [text, value] of Object.entries(position)) entries.add(names.of(text), value, 'logprobs.top_logprobs');
    // Some endpoints list the token itself beside the most probable ones, some only where it is one of them.
    const token = String(tokens[place]);
    if (!Object.hasOwn(position, token)) entries.add(names.of(token), own[place], 'logprobs.token_logprobs');
    entries.close();
  }
  const prompt = Int32Array.from(tokens.slice(0, length), (token) => names.of(String(token)));
  return { namedBy: 'text', ...entries.arrays, texts: names.texts, prompt };
}

class Entries {
  readonly #counts: number[] = [];
  readonly #names: number[] = [];
  readonly #values: number[] = [];
  #closed = 0;

  add(name: number, value: unknown, place: string): void {
    if (typeof value !== 'number' || Number.isNaN(value)) throw malformed(place);
    this.#names.push(name);
    this.#values.push(value);
  }

  /** The entries of this position are complete; the next ones are those of the next. */
  close(): void {
    this.#counts.push(this.#names.length - this.#closed);
    this.#closed = this.#names.length;
  }

  get arrays(): Pick<PromptScores, 'counts' | 'names' | 'logProbabilities'> {
    return {
      counts: Int32Array.from(this.#counts),
      names: Int32Array.from(this.#names),
      logProbabilities: Float32Array.from(this.#values),
    };
  }
}

/** Texts by their places, each once. */
class Names {
  readonly #places = new Map<string, number>();

  of(text: string): number {
    const place = this.#places.get(text) ?? this.#places.size;
    this.#places.set(text, place);
    return place;
  }

  get texts(): ReadonlyMap<number, string> {
    return new Map([...this.#places].map(([text, place]) => [place, text]));
  }
}

const missing = (field: string, found: unknown): NightstillError =>
  new NightstillError(
    'teacher-logprobs-missing',
    `expected ${field} for the tokens of the prompt in the reply, found ${found === undefined || found === null ? 'none' : 'another form'}`,
  );

const malformed = (place: string): NightstillError =>
  replyInvalid('log-probabilities of a prompt', `${place} in another form`);
