/**
 * Trains a byte-level BPE tokenizer in the manner of Qwen2: any text can be written with it, equal texts give an equal file, and
 * tokenizer.json reads the same in @huggingface/tokenizers and in Python. Ids: 256 bytes, then merges, then special tokens.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { writeTextAtomically } from '../files/atomic-file.js';
import { refuseTaken } from '../files/free-place.js';
import { characterOfByte } from './byte-alphabet.js';
import { learnMerges, type LearnedMerges } from './merges.js';
import { maximumTokens } from './pair-queue.js';
import { atWordBreaks, createWordCounter, qwen2Pattern } from './words.js';

export interface BytePairTraining {
  /** All tokens: bytes, merges and special ones. */
  readonly vocabularySize: number;
  /** Besides the three of the chat format. */
  readonly specialTokens?: readonly string[];
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export type TrainingProgress =
  | { readonly phase: 'reading'; readonly characters: number }
  | { readonly phase: 'merging'; readonly tokens: number; readonly wanted: number };

/** Contents of the two files. */
export interface TrainedTokenizer {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

const chatTokens = { endOfText: '<|endoftext|>', start: '<|im_start|>', end: '<|im_end|>' } as const;

const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * @param texts documents, each a stream of pieces that may be cut anywhere.
 * @throws tokenizer-training-invalid when the size leaves no room for bytes and special tokens, a special token is empty or named twice,
 *   the texts do not hold enough pairs for the size, or one is no text: 2²⁶ characters without the end of a word.
 */
export async function trainBytePairTokenizer(
  texts: Iterable<AsyncIterable<string>>,
  { vocabularySize, specialTokens = [], onProgress = () => {} }: BytePairTraining,
): Promise<TrainedTokenizer> {
  const special = [...Object.values(chatTokens), ...specialTokens];
  const wanted = checkedSize(vocabularySize, special);
  const counter = createWordCounter();
  let characters = 0;
  for (const text of texts)
    for await (const piece of atWordBreaks(text)) {
      counter.add(piece);
      characters += piece.length;
      onProgress({ phase: 'reading', characters });
    }
  const alphabet = characterOfByte.toSorted();
  const report = (tokens: number): void => onProgress({ phase: 'merging', tokens, wanted });
  const learned = learnMerges(counter.words(), alphabet, wanted, report);
  if (learned.tokens.length < wanted)
    throw invalid(
      `the texts give ${learned.tokens.length + special.length} tokens at most, ${vocabularySize} are wanted; give more text or ask for fewer`,
    );
  const both = special.find((token) => learned.tokens.includes(token));
  if (both !== undefined) throw invalid(`the special token ${both} is a word of the texts as well; choose another`);
  return { tokenizer: tokenizerFile(learned, special), config: configFile() };
}

function checkedSize(vocabularySize: number, special: readonly string[]): number {
  const strange = special.find((token, index) => token === '' || special.indexOf(token) !== index);
  if (strange !== undefined)
    throw invalid(`special tokens must be texts named once, found ${JSON.stringify(strange)} again or empty`);
  const least = characterOfByte.length + special.length;
  if (!Number.isInteger(vocabularySize) || vocabularySize < least || vocabularySize >= maximumTokens)
    throw invalid(
      `the vocabulary must have ${least} (${characterOfByte.length} bytes and ${special.length} special tokens) to ${maximumTokens - 1} tokens, found ${vocabularySize}`,
    );
  return vocabularySize - special.length;
}

const invalid = (found: string): NightstillError =>
  new NightstillError('tokenizer-training-invalid', `Tokenizer training: ${found}.`);

function tokenizerFile({ tokens, merges }: LearnedMerges, special: readonly string[]): Record<string, unknown> {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, index) => ({
      id: tokens.length + index,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: qwen2Pattern }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(({ first, second }) => [tokens[first], tokens[second]]),
    },
  };
}

const configFile = (): Record<string, unknown> => ({
  tokenizer_class: 'PreTrainedTokenizerFast',
  clean_up_tokenization_spaces: false,
  model_max_length: 2 ** 31 - 1,
  eos_token: chatTokens.end,
  pad_token: chatTokens.endOfText,
  chat_template: chatTemplate,
});

/**
 * Writes tokenizer.json and tokenizer_config.json into a new directory.
 * @param train is asked when the place was found free.
 * @throws output-exists when the directory holds anything.
 */
export async function writeTrainedTokenizer(directory: string, train: () => Promise<TrainedTokenizer>): Promise<void> {
  await refuseTaken(directory);
  const trained = await train();
  await mkdir(directory, { recursive: true });
  for (const [name, content] of [
    ['tokenizer_config.json', trained.config],
    ['tokenizer.json', trained.tokenizer],
  ] as const)
    await writeTextAtomically(join(directory, name), `${JSON.stringify(content, undefined, 2)}\n`);
}
