import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openChatTemplate } from '../../../../engine/text/chat-template.js';
import { hasCode } from '../../../../config/errors.js';
import { createStreamDecoder } from '../../../../engine/text/stream-decoder.js';
import { createTokenizer, openTokenizer, type Tokenizer } from '../../../../engine/text/tokenizer.js';
import { replaced } from '../../../support/hostile-json.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = join(modelFixtures, 'qwen2-gqa-tied');
const file = JSON.parse(readFileSync(join(directory, 'tokenizer.json'), 'utf8')) as Record<string, unknown>;

/** In the manner of Llama 2: words with ▁, bytes where there is none, one space dropped at the beginning. */
function wordTokenizer(): Tokenizer {
  const pieces = {
    type: 'BPE',
    vocab: { '▁a': 0, '▁b': 1, '<0xE5>': 2, '<0xAD>': 3, '<0x97>': 4, c: 5, '<0xEF>': 6, '<0xBB>': 7, '<0xBF>': 8 },
    merges: [],
  };
  const decoder = {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  };
  const model = { ...pieces, byte_fallback: true, unk_token: null };
  return createTokenizer({
    ...file,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    model,
    decoder,
  });
}

describe('a tokenizer', () => {
  it('gives back any text that its normaliser leaves alone, a byte order mark included', async () => {
    const tokenizer = await openTokenizer(directory);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const composed = text.normalize('NFC');
        expect(tokenizer.decode(tokenizer.encode(composed))).toBe(composed);
      }),
      { seed: 30 },
    );
    expect(tokenizer.decode(tokenizer.encode('\ufeffa\ufeff'))).toBe('\ufeffa\ufeff');
  });

  it('streams any ids as the text that they decode to, and never half a character', () => {
    const tokenizer = createTokenizer(file);
    const ids = fc.array(fc.oneof(fc.nat(1023), fc.nat(255), fc.constantFrom(1021, 1022, 5000)), { maxLength: 40 });
    fc.assert(
      fc.property(ids, fc.boolean(), (tokens, skipSpecialTokens) => {
        const stream = tokenizer.streamDecoder({ skipSpecialTokens });
        const pieces = tokens.map((id) => stream.push(id));
        expect(pieces.join('') + stream.end()).toBe(tokenizer.decode(tokens, { skipSpecialTokens }));
      }),
      { numRuns: 500, seed: 24 },
    );
    const stream = tokenizer.streamDecoder();
    const pieces = [...tokenizer.encode('👩‍👩‍👧 é 字')].map((id) => stream.push(id));
    expect(pieces.filter((piece) => piece.includes('\ufffd'))).toEqual([]);
    expect(pieces.join('')).toBe('👩‍👩‍👧 é 字');
  });

  it('streams the same from a decoder that works by words', () => {
    const tokenizer = wordTokenizer();
    const stream = tokenizer.streamDecoder();
    expect([0, 2, 3, 4, 5, 1].map((id) => stream.push(id))).toEqual(['a', '', '', '字', 'c', ' b']);
    expect(stream.end()).toBe('');
    expect(tokenizer.decode([5, 6, 7, 8])).toBe('c\ufeff');
    const begun = tokenizer.streamDecoder();
    expect([5, 2].map((id) => begun.push(id)).join('')).toBe('c');
    expect(begun.end()).toBe('\ufffd');
  });

  it('streams long answers of such a decoder as their text, and looks at no more tokens for each as they grow', () => {
    const tokenizer = wordTokenizer();
    const word = fc.constantFrom([0], [1], [5], [2, 3, 4], [5, 5], [0, 1], [6, 7, 8]);
    fc.assert(
      fc.property(fc.array(word, { minLength: 300, maxLength: 900 }), (words) => {
        const ids = words.flat();
        let looked = 0;
        const stream = createStreamDecoder({
          added: new Map(),
          special: new Set(),
          skipSpecialTokens: false,
          tokenOf: undefined,
          decode: (tokens) => {
            looked += tokens.length;
            return tokenizer.decode(tokens);
          },
        });
        const text = ids.map((id) => stream.push(id)).join('') + stream.end();
        expect(text).toBe(tokenizer.decode(ids));
        expect(looked / ids.length).toBeLessThan(300);
      }),
      { numRuns: 20, seed: 25 },
    );
  });

  it('leaves special tokens out on request, and what lies beyond the vocabulary always', () => {
    const tokenizer = createTokenizer(file);
    const ids = [...tokenizer.encode('a<|im_end|>b'), 1500];
    expect(tokenizer.decode(ids)).toBe('a<|im_end|>b');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('ab');
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.specialTokens.get('<|im_end|>')).toBe(1023);
  });

  it('takes nothing from its config: equal digests give equal ids and texts, whatever that wishes', async () => {
    const place = temporaryDirectory();
    const wishes = { remove_space: true, do_lowercase_and_remove_accent: true, clean_up_tokenization_spaces: true };
    const more = { additional_special_tokens: ['a'], eos_token: 'a' };
    writeFileSync(join(place, 'tokenizer.json'), JSON.stringify(file));
    writeFileSync(join(place, 'tokenizer_config.json'), JSON.stringify({ ...wishes, ...more }));
    const [tokenizer, plain] = [await openTokenizer(place), createTokenizer(file)];
    const text = '  Ünder   a , b .  ';
    expect(tokenizer.digest).toBe(plain.digest);
    expect(tokenizer.encode(text)).toEqual(plain.encode(text));
    expect(tokenizer.decode(tokenizer.encode('a , b .'), { skipSpecialTokens: true })).toBe('a , b .');
  });

  it('has a digest of what decides about ids, not of how its file is written', () => {
    const { digest } = createTokenizer(file);
    expect(createTokenizer({ ...file, padding: { length: 3 }, truncation: null }).digest).toBe(digest);
    expect(createTokenizer({ ...file, normalizer: null }).digest).not.toBe(digest);
  });

  it.each([
    ['is no object', 7],
    ['has no model', {}],
    ['has a model of another kind', { ...file, model: { type: 'Magic' } }],
    ['has a token without a name', { ...file, added_tokens: [{ id: 1 }] }],
  ])('is invalid when its file %s', (_, json) => {
    expect(() => createTokenizer(json)).toThrow(expect.objectContaining({ code: 'tokenizer-invalid' }) as Error);
  });

  it('works or is invalid when any part of its file is another one: no other error comes out', () => {
    const parts = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder', 'model', 'added_tokens'];
    const junk = fc.constantFrom(
      null,
      7,
      -1,
      true,
      'x',
      '',
      [],
      {},
      [1],
      ...['Sequence', 'Strip'].map((type) => ({ type })),
    );
    const outcomeOf = (json: unknown): unknown => {
      try {
        const tokenizer = createTokenizer(json);
        const ids = [...tokenizer.encode('Hello wörld <|im_end|> 字'), 5000];
        const stream = tokenizer.streamDecoder();
        return tokenizer.decode(ids) + ids.map((id) => stream.push(id)).join('') + stream.end();
      } catch (error) {
        return hasCode(error, 'tokenizer-invalid') ? error.code : error;
      }
    };
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.array(fc.nat(6), { maxLength: 4 }), junk, (part, path, value) => {
        expect(outcomeOf({ ...file, [part]: replaced(file[part], path, value) })).toEqual(expect.any(String));
      }),
      { numRuns: 600, seed: 31 },
    );
  });

  it('names the field of its file that is of another type', () => {
    const tokens = [
      { id: 0, content: 'a' },
      { id: -1, content: 'b' },
    ];
    expect(() => createTokenizer({ ...file, added_tokens: tokens })).toThrow(/^tokenizer\.json: added_tokens\.1\.id: /);
  });

  it('names the file that is missing or no JSON', async () => {
    const empty = temporaryDirectory();
    await expect(openTokenizer(empty)).rejects.toMatchObject({ code: 'model-file-missing' });
    writeFileSync(join(empty, 'tokenizer.json'), '{');
    await expect(openTokenizer(empty)).rejects.toMatchObject({ code: 'tokenizer-invalid' });
    await expect(openChatTemplate(empty)).rejects.toMatchObject({ code: 'model-file-missing' });
    writeFileSync(join(empty, 'chat_template.jinja'), '{% if %}');
    await expect(openChatTemplate(empty)).rejects.toMatchObject({ code: 'chat-template-invalid' });
  });

  it('has the template of its config where there is no file of it, the one named default of several', async () => {
    const place = temporaryDirectory();
    const render = async (config: unknown): Promise<string> => {
      writeFileSync(join(place, 'tokenizer_config.json'), JSON.stringify(config));
      return (await openChatTemplate(place)).render([], { addGenerationPrompt: false });
    };
    expect(await render({ chat_template: '{{ eos_token }}!', eos_token: { content: '</s>' } })).toBe('</s>!');
    const several = [
      { name: 'rag', template: 'no' },
      { name: 'default', template: 'yes' },
    ];
    expect(await render({ chat_template: several })).toBe('yes');
  });
});
