import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  trainBytePairTokenizer,
  writeTrainedTokenizer,
  type BytePairTraining,
} from '../../../../engine/text/byte-pair-trainer.js';
import { openChatTemplate } from '../../../../engine/text/chat-template.js';
import { learnMerges } from '../../../../engine/text/merges.js';
import { openTokenizer, type Tokenizer } from '../../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const read = (path: string): string => readFileSync(join(modelFixtures, path), 'utf8');

const { cases } = JSON.parse(read('tokenizer_cases.json')) as { cases: { text: string }[] };
const reference = JSON.parse(read('byte_pair_reference.json')) as { merges: [string, string][]; ids: number[][] };

/** The texts of make_byte_pair_fixture.py. */
const texts = [
  ...cases.map(({ text }) => text),
  ...readdirSync(join(modelFixtures, 'chat-templates')).map((name) => read(`chat-templates/${name}`)),
  read('make_fixtures.py'),
];

/** A text in pieces of a length, as a file comes. */
async function* inPieces(text: string, length = 1000): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length)
    yield await Promise.resolve(text.slice(start, start + length));
}

const train = (documents: readonly string[], training: BytePairTraining, pieceLength?: number) =>
  trainBytePairTokenizer(
    documents.map((text) => inPieces(text, pieceLength)),
    training,
  );

async function trained(documents: readonly string[], training: BytePairTraining): Promise<Tokenizer> {
  const directory = join(temporaryDirectory(), 'tokenizer');
  await writeTrainedTokenizer(directory, () => train(documents, training));
  return openTokenizer(directory);
}

describe('a trained tokenizer', () => {
  it('has the merges of the reference trainer, ties included, and gives its ids', async () => {
    const { tokenizer } = await train(texts, { vocabularySize: 1200 });
    expect(tokenizer).toMatchObject({ model: { merges: reference.merges } });
    const opened = await trained(texts, { vocabularySize: 1200 });
    for (const [index, { text }] of cases.entries())
      expect({ text, ids: [...opened.encode(text)] }).toEqual({ text, ids: reference.ids[index] });
  });

  it('is the same whatever the order of the texts and the size of the pieces that they come in', async () => {
    const once = await train(texts, { vocabularySize: 500 });
    for (const pieceLength of [1, 7, 1e6])
      expect(await train(texts.toReversed(), { vocabularySize: 500 }, pieceLength)).toEqual(once);
  });

  it('writes any text and reads it back, with special tokens at the end of its vocabulary', async () => {
    const tokenizer = await trained(texts, { vocabularySize: 400, specialTokens: ['<|tool|>'] });
    expect(tokenizer.vocabularySize).toBe(400);
    expect([...tokenizer.specialTokens]).toEqual([
      ['<|endoftext|>', 396],
      ['<|im_start|>', 397],
      ['<|im_end|>', 398],
      ['<|tool|>', 399],
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.normalize('NFC'));
      }),
      { seed: 30 },
    );
  });

  it('comes with a template for conversations', async () => {
    const directory = join(temporaryDirectory(), 'tokenizer');
    await writeTrainedTokenizer(directory, () => train(texts, { vocabularySize: 300 }));
    const template = await openChatTemplate(directory);
    expect(template.render([{ role: 'user', content: 'hi' }], { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    );
    await expect(writeTrainedTokenizer(directory, () => train([], { vocabularySize: 300 }))).rejects.toMatchObject({
      code: 'output-exists',
    });
  });

  it('tells how far it is', async () => {
    const heard: string[] = [];
    await train(['aaa bbb '.repeat(50)], {
      vocabularySize: 262,
      onProgress: (progress) =>
        heard.push(
          progress.phase === 'reading' ? `read ${progress.characters}` : `${progress.tokens}/${progress.wanted}`,
        ),
    });
    expect(heard).toEqual(['read 399', 'read 400', '257/259', '258/259', '259/259']);
  });

  it.each([
    ['has no room for bytes and special tokens', { vocabularySize: 258 }],
    ['is no whole number', { vocabularySize: 300.5 }],
    ['is beyond counting', { vocabularySize: 2 ** 21 }],
    ['wants more than the texts hold', { vocabularySize: 1000 }],
    ['names a special token twice', { vocabularySize: 300, specialTokens: ['<|im_end|>'] }],
    ['names an empty special token', { vocabularySize: 300, specialTokens: [''] }],
    ['names a special token that is a word', { vocabularySize: 262, specialTokens: ['ab'] }],
  ])('is refused when it %s', async (_, training) => {
    await expect(train(['ab ab ab cd'], training)).rejects.toMatchObject({ code: 'tokenizer-training-invalid' });
  });
});

describe('merges', () => {
  /** Counts every pair of every word anew for each merge: slow, and hard to get wrong. */
  function learnSlowly(words: ReadonlyMap<string, number>, alphabet: readonly string[], wanted: number): string[][] {
    const tokens = [...alphabet];
    const merges: string[][] = [];
    let split = [...words].map(([word, count]) => ({ symbols: Array.from(word), count }));
    while (tokens.length < wanted) {
      const counts = new Map<string, { pair: [string, string]; count: number }>();
      for (const { symbols, count } of split)
        for (const [index, second] of symbols.slice(1).entries()) {
          const pair: [string, string] = [symbols[index] ?? '', second];
          const key = pair.join(' ');
          counts.set(key, { pair, count: (counts.get(key)?.count ?? 0) + count });
        }
      const ids = ([first, second]: [string, string]) => tokens.indexOf(first) * 1e6 + tokens.indexOf(second);
      const best = [...counts.values()].toSorted((a, b) => b.count - a.count || ids(a.pair) - ids(b.pair))[0];
      if (best === undefined) break;
      const [first, second] = best.pair;
      merges.push(best.pair);
      if (!tokens.includes(first + second)) tokens.push(first + second);
      split = split.map(({ symbols, count }) => {
        const next: string[] = [];
        for (const symbol of symbols)
          if (symbol === second && next.at(-1) === first) next.splice(-1, 1, first + second);
          else next.push(symbol);
        return { symbols: next, count };
      });
    }
    return merges;
  }

  it('are those of a count of everything after each merge, for any words', () => {
    const alphabet = ['a', 'b', 'c'];
    const anyWord = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 9 });
    const words = fc.array(fc.tuple(anyWord, fc.integer({ min: 1, max: 4 })), { maxLength: 8 });
    fc.assert(
      fc.property(words, (entries) => {
        const counted = new Map(entries);
        const { tokens, merges } = learnMerges(counted, alphabet, 20);
        const named = merges.map(({ first, second }) => [tokens[first] ?? '', tokens[second] ?? '']);
        expect(named).toEqual(learnSlowly(counted, alphabet, 20));
      }),
      { numRuns: 500, seed: 26 },
    );
  });
});
