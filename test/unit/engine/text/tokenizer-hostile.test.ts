import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openChatTemplate } from '../../../../engine/text/chat-template.js';
import { openTokenizer, type Tokenizer } from '../../../../engine/text/tokenizer.js';
import { hostileJson } from '../../../support/hostile-json.js';
import { judged } from '../../../support/judged.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = temporaryDirectory();
const path = join(directory, 'tokenizer.json');
const sampleText = 'Hello wörld <|im_end|> 字 \ufeff12 it’s\n\n a.';

/** Small, so that most changes touch what matters: the parts of the fixture with a vocabulary of its bytes. */
function smallFile(): Record<string, unknown> {
  const file = JSON.parse(readFileSync(join(modelFixtures, 'qwen2-gqa-tied', 'tokenizer.json'), 'utf8')) as {
    readonly model: { readonly vocab: Record<string, number> };
  };
  const vocab = Object.fromEntries(Object.entries(file.model.vocab).slice(0, 256));
  return {
    ...file,
    model: {
      ...file.model,
      vocab,
      merges: [
        ['H', 'e'],
        ['He', 'l'],
      ],
    },
  };
}

const sequence = (name: string, ...parts: readonly unknown[]) => ({ type: 'Sequence', [name]: parts });

/** Other kinds than the fixture's: all parts that the library has parameters for. */
const otherFile = {
  added_tokens: [{ id: 7, content: '<|im_end|>', special: true, lstrip: true, normalized: true }],
  normalizer: sequence(
    'normalizers',
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    { type: 'Replace', pattern: { Regex: '[aeiou]{2,}' }, content: 'a' },
    { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
  ),
  pre_tokenizer: sequence(
    'pretokenizers',
    { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Isolated', invert: false },
    { type: 'FixedLength', length: 4 },
    { type: 'Digits', individual_digits: true },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
  ),
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
  },
  decoder: sequence(
    'decoders',
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Strip', content: ' ', start: 1, stop: 1 },
    { type: 'WordPiece', prefix: '##', cleanup: true },
  ),
};
const words = { unk_token: '<unk>', continuing_subword_prefix: '##', max_input_chars_per_word: 100 };
const vocab = { '<unk>': 0, '<s>': 1, hell: 2, a: 3, '##a': 4, '▁': 5, o: 6 };
const pieces = Object.keys(vocab).map((piece, index) => [piece, -index]);
const files: readonly (readonly [string, Record<string, unknown>])[] = [
  ['byte pairs', smallFile()],
  ['word pieces', { ...otherFile, model: { type: 'WordPiece', ...words, vocab } }],
  ['a lattice of pieces', { ...otherFile, model: { type: 'Unigram', unk_id: 0, vocab: pieces } }],
  [
    'byte pairs with fallback',
    { ...otherFile, model: { type: 'BPE', unk_token: '<unk>', byte_fallback: true, vocab, merges: ['a a'] } },
  ],
];

function checkTokenizer(tokenizer: Tokenizer): void {
  const ids = tokenizer.encode(sampleText);
  expect(ids.every((id) => id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
  const stream = tokenizer.streamDecoder();
  const streamed = [...ids].map((id) => stream.push(id)).join('') + stream.end();
  expect([typeof tokenizer.decode([...ids, tokenizer.vocabularySize, 5000]), typeof streamed]).toEqual([
    'string',
    'string',
  ]);
  expect(tokenizer.vocabularySize).toBeLessThanOrEqual(2 ** 24 + 1);
}

const judge = (bytes: Uint8Array) => {
  writeFileSync(path, bytes);
  return judged({
    names: [path],
    codes: ['tokenizer-invalid'],
    // A part may show its damage only when it is used.
    act: async () => checkTokenizer(await openTokenizer(directory)),
  });
};

describe('a tokenizer.json from a stranger', () => {
  it.each(files)('of %s is a tokenizer, or has a code, however it is changed', async (_, file) => {
    expect(await judge(Buffer.from(JSON.stringify(file)))).toBe('accepted');
    await fc.assert(
      fc.asyncProperty(hostileJson(file), async (bytes) => {
        await judge(bytes);
      }),
      { numRuns: 300, seed: 43 },
    );
  });

  const model = { type: 'WordPiece', ...words, vocab };
  const token = { id: 9, content: '<x>' };
  const many = Array.from({ length: 1e6 }, (_, index) => [`a${index}`, 0]);
  it.each<readonly [string, Record<string, unknown>]>([
    ['pieces of no length', { pre_tokenizer: { type: 'FixedLength', length: 0 } }],
    [
      'pieces of a negative length, deep within',
      { pre_tokenizer: sequence('pretokenizers', { type: 'FixedLength', length: -1 }) },
    ],
    ['a split by nothing known', { pre_tokenizer: { type: 'Split', pattern: {}, behavior: 'Isolated' } }],
    ['nothing to put in front', { normalizer: { type: 'Prepend' } }],
    ['a regular expression that is none', { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } }],
    [
      'a normaliser that doubles a text 60 times',
      {
        normalizer: sequence(
          'normalizers',
          ...Array(60).fill({ type: 'Replace', pattern: { Regex: '.' }, content: 'xx' }),
        ),
      },
    ],
    ...(['Metaspace', 'ByteLevel'] as const).map(
      (type) =>
        [
          `${type} 60 times`,
          {
            pre_tokenizer: sequence('pretokenizers', ...Array(60).fill({ type, replacement: '  ', use_regex: false })),
          },
        ] as const,
    ),
    [
      'decoders that double a text 60 times',
      { decoder: sequence('decoders', ...Array(60).fill({ type: 'BPEDecoder', suffix: '' })) },
    ],
    [
      'the text a million times',
      {
        post_processor: { type: 'TemplateProcessing', single: Array(1e6).fill({ Sequence: { id: 'A', type_id: 0 } }) },
      },
    ],
    ['an added token of a giant id', { added_tokens: [{ ...token, id: 2 ** 32 - 2 }] }],
    ['a token of a giant id', { model: { ...model, vocab: { ...vocab, x: 2 ** 40 } } }],
    ['a token of half an id', { model: { ...model, vocab: { ...vocab, x: 0.5 } } }],
    ['a token of no id', { model: { ...model, vocab: { ...vocab, x: 'length' } } }],
    ['words of any length', { model: { ...model, max_input_chars_per_word: 1e9 } }],
    ['scores that are none', { model: { type: 'Unigram', unk_id: 0, vocab: [['a', 'b']] } }],
    ['a vocabulary that says it is long', { model: { type: 'Unigram', unk_id: 0, vocab: { length: 4294967295 } } }],
    ['an unknown piece beyond its pieces', { model: { type: 'Unigram', unk_id: 2 ** 30, vocab: pieces } }],
    ['a kind with a long name', { normalizer: { type: 'x'.repeat(100_000) } }],
  ])('that has %s is refused', async (_, change) => {
    expect(await judge(Buffer.from(JSON.stringify({ ...otherFile, model, ...change })))).toBe('tokenizer-invalid');
  });

  it.each<readonly [string, Record<string, unknown>]>([
    ['a million pieces', { model: { type: 'Unigram', unk_id: 0, vocab: many } }],
    ['the highest id', { added_tokens: [{ ...token, id: 2 ** 24 }] }],
  ])('that has %s is a tokenizer', async (_, change) => {
    expect(await judge(Buffer.from(JSON.stringify({ ...otherFile, model, ...change })))).toBe('accepted');
  });

  it('of great depth is refused', async () => {
    const deep = `{"added_tokens":[],"model":{},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(await judge(Buffer.from(deep))).toBe('tokenizer-invalid');
  });
});

describe('a tokenizer_config.json from a stranger', () => {
  const configPath = join(directory, 'tokenizer_config.json');
  const sound = {
    bos_token: { content: '<s>', special: true },
    eos_token: '</s>',
    pad_token: null,
    chat_template: [
      {
        name: 'default',
        template: '{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}',
      },
      { name: 'tools', template: 'no' },
    ],
    added_tokens_decoder: { 0: { content: '<s>' } },
  };
  const judgeConfig = (bytes: Uint8Array) => {
    writeFileSync(configPath, bytes);
    return judged({
      names: [configPath, directory],
      codes: ['tokenizer-invalid', 'chat-template-invalid', 'model-file-missing'],
      act: async () =>
        (await openChatTemplate(directory)).render([{ role: 'user', content: 'hi' }], { addGenerationPrompt: true }),
      check: (text) => expect(typeof text).toBe('string'),
    });
  };

  it('gives a template with its tokens, or has a code, however it is changed', async () => {
    expect(await judgeConfig(Buffer.from(JSON.stringify(sound)))).toBe('accepted');
    await fc.assert(
      fc.asyncProperty(hostileJson(sound), async (bytes) => {
        await judgeConfig(bytes);
      }),
      { numRuns: 600, seed: 44 },
    );
  });

  it('is refused when its template is neither a text nor texts with names', async () => {
    for (const template of [7, { default: 'x' }, [{ name: 'default' }], ['x']]) {
      const bytes = Buffer.from(JSON.stringify({ ...sound, chat_template: template }));
      expect(await judgeConfig(bytes)).toBe('chat-template-invalid');
    }
  });
});
