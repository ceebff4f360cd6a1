/** `nightstill tokenizer train`: a byte-level BPE tokenizer from text files, as a directory that Hugging Face's libraries read. */
import { createReadStream } from 'node:fs';
import { NightstillError } from '../config/errors.js';
import type { TrainingProgress } from '../engine/index.js';
import { createReporter, type Step } from '../tools/progress.js';
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';

export const tokenizerCommand = defineCommand({
  name: 'tokenizer',
  group: 'data',
  summary: 'train a tokenizer on text files',
  about: `Trains a byte-level BPE tokenizer, with the pattern of Qwen2, on text files in UTF-8, and writes tokenizer.json and
tokenizer_config.json to a new directory. Equal texts give equal files.`,
  words: [
    { name: 'train', offers: ['train'] },
    { name: 'file', optional: true, repeated: true, offers: 'file' },
  ],
  flags: {
    'vocabulary-size': { value: 'n', summary: 'all tokens: 256 bytes, merges, special tokens' },
    output: { value: 'directory', summary: 'where the files go; nothing is overwritten', offers: 'directory' },
    special: {
      value: 'token',
      multiple: true,
      summary: 'a special token besides <|endoftext|>, <|im_start|> and <|im_end|>; may be repeated',
    },
  },
  exits: { 0: 'written', 1: 'a machine failed', 2: commonExits[2] },
  run: async ({ flags, words }) => {
    const [act, ...files] = words;
    if (act !== 'train') throw new UsageError(`expected "tokenizer train", found "tokenizer ${act}"`);
    const { output } = flags;
    if (output === undefined || output === '') throw invalid('expected --output DIR, found none');
    if (files.length === 0) throw invalid('expected at least one text file, found none');
    const vocabularySize = wholeNumber(flags['vocabulary-size']);
    const { trainBytePairTokenizer, writeTrainedTokenizer } = await import('../engine/index.js');
    const { onProgress, end } = progressOn(process.stderr);
    try {
      const training = { vocabularySize, specialTokens: flags.special, onProgress };
      await writeTrainedTokenizer(output, () => trainBytePairTokenizer(files.map(readText), training));
    } finally {
      end();
    }
    process.stdout.write(`${output}: a tokenizer of ${vocabularySize} tokens\n`);
    return exitStatus.ok;
  },
});

const invalid = (found: string, cause?: unknown): NightstillError =>
  new NightstillError('tokenizer-training-invalid', found, { cause });

function wholeNumber(text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(`expected --vocabulary-size with a whole number, found ${JSON.stringify(text ?? '')}`);
}

/** A text file in pieces. What is not UTF-8 is refused: a tokenizer must not learn replacement characters. */
async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>)
      yield decoder.decode(bytes, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    throw invalid(`expected a text file in UTF-8 at ${path}: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
}

const reportEveryMs = 200;

const isLast = (progress: TrainingProgress): boolean =>
  progress.phase === 'merging' && progress.tokens === progress.wanted;

/** Merging is one long computation: the screen is drawn while it reports, not by a timer. */
function progressOn(output: NodeJS.WriteStream): { onProgress: (progress: TrainingProgress) => void; end: () => void } {
  const reporter = createReporter(output);
  let step: Step | undefined;
  let phase = '';
  let spokenAt = 0;
  const onProgress = (progress: TrainingProgress): void => {
    if (progress.phase !== phase) {
      step?.end();
      step = reporter.step(progress.phase);
      phase = progress.phase;
    } else if (Date.now() - spokenAt < reportEveryMs && !isLast(progress)) return;
    spokenAt = Date.now();
    const note =
      progress.phase === 'reading' ? `${progress.characters} characters` : `${progress.tokens} of ${progress.wanted}`;
    step?.update({ note });
  };
  return { onProgress, end: () => step?.end() };
}
