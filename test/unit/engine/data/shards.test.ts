import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { hasCode } from '../../../../config/errors.js';
import type { Conversation } from '../../../../engine/data/conversations.js';
import type { Sample } from '../../../../engine/data/samples.js';
import { openShards } from '../../../../engine/data/shard-reader.js';
import { writeShards, type ShardSettings } from '../../../../engine/data/shards.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { byteEncoder, chat } from './byte-encoder.js';

async function write(conversations: readonly Conversation[], settings: ShardSettings, vocabularySize?: number) {
  const directory = temporaryDirectory();
  const statistics = await writeShards(directory, conversations, byteEncoder(vocabularySize), settings);
  return { directory, statistics };
}

async function readAll(directory: string): Promise<Sample[]> {
  const shards = await openShards(directory);
  try {
    // Backwards: access is by number.
    const samples: Sample[] = [];
    for (let sample = shards.samples - 1; sample >= 0; sample--) {
      samples.unshift(await shards.read(sample));
      expect(shards.lengthOf(sample)).toBe(samples[0]?.ids.length);
    }
    return samples;
  } finally {
    await shards.close();
  }
}

const texts = (ids: readonly Sample[]) => ids.map((sample) => Buffer.from(sample.ids).toString());
const files = (directory: string) => readdirSync(directory).toSorted();

describe('token shards', () => {
  test('what was written is read by sample number, whatever the samples, the width of ids and the size of shards', async () => {
    const turn = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const conversation = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), turn, turn, turn, turn);
    await fc.assert(
      fc.asyncProperty(
        fc.array(conversation, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.constantFrom(256, 2 ** 16, 2 ** 16 + 1),
        async (turns, shardBytes, vocabularySize) => {
          const conversations = turns.map(([id, ...rest]) => chat(id, ...rest));
          const { directory, statistics } = await write(
            conversations,
            { maximumTokens: 9999, shardBytes },
            vocabularySize,
          );
          const expected = conversations.map((each) => ({ id: each.id, ...byteEncoder().encodeConversation(each) }));
          expect(await readAll(directory)).toEqual(expected);
          expect(statistics).toMatchObject({
            samples: turns.length,
            tokens: expected.reduce((sum, { ids }) => sum + ids.length, 0),
            longest: Math.max(...expected.map(({ ids }) => ids.length)),
          });
        },
      ),
      { numRuns: 40, seed: 3 },
    );
  });

  test('ids take 16 bits where the vocabulary allows it, else 32', async () => {
    const size = async (vocabularySize: number) => {
      const { directory } = await write([{ id: 'a', text: 'x'.repeat(1000) }], { maximumTokens: 1000 }, vocabularySize);
      return readFileSync(join(directory, 'shard-00000.tokens')).length;
    };
    expect((await size(2 ** 16 + 1)) - (await size(2 ** 16))).toBe(2000);
  });

  test('equal conversations give equal bytes, and the digest of the data follows from them', async () => {
    const digestOf = async (text: string) => {
      const { directory } = await write([{ id: 'a', text }], { maximumTokens: 9 });
      const shards = await openShards(directory);
      await shards.close();
      return shards.digest;
    };
    expect(await digestOf('same')).toBe(await digestOf('same'));
    expect(await digestOf('same')).not.toBe(await digestOf('some'));
  });

  test('writing again replaces shards and leaves none of the former ones', async () => {
    const { directory } = await write([chat('a', 'q', 'a'), chat('b', 'q', 'a')], { maximumTokens: 9, shardBytes: 1 });
    expect(files(directory)).toEqual(['shard-00000.tokens', 'shard-00001.tokens', 'shards.json']);
    await writeShards(directory, [chat('c', 'q', 'a')], byteEncoder(), { maximumTokens: 9 });
    expect(files(directory)).toEqual(['shard-00000.tokens', 'shards.json']);
    expect((await readAll(directory)).map(({ id }) => id)).toEqual(['c']);
  });

  test('writing again removes what a writer that died left of its manifest', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, '.shards.json.7.partial'), '{');
    await writeShards(directory, [chat('c', 'q', 'a')], byteEncoder(), { maximumTokens: 9 });
    expect(files(directory)).toEqual(['shard-00000.tokens', 'shards.json']);
  });

  test('a shard of another tokenizer is refused, with what its manifest names', async () => {
    const { directory } = await write([chat('a', 'q', 'a')], { maximumTokens: 9 });
    const path = join(directory, 'shards.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"bytes"', '"words"'));
    await expect(openShards(directory)).rejects.toMatchObject({
      code: 'token-shards-invalid',
      message: expect.stringContaining('shard-00000.tokens: expected the header that its manifest names') as string,
    });
  });

  test('a place that cannot hold them is named with the answer of the file system', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(writeShards(file, [chat('a', 'q', 'a')], byteEncoder(), { maximumTokens: 9 })).rejects.toMatchObject({
      code: 'output-failed',
      message: expect.stringContaining(`Expected to write ${file}, found EEXIST`) as string,
    });
  });

  test('writing that is cut off leaves nothing that can be opened', async () => {
    const { directory } = await write([chat('a', 'q', 'a')], { maximumTokens: 9 });
    const failing = function* () {
      yield chat('b', 'q', 'a');
      throw new Error('the source is gone');
    };
    await expect(writeShards(directory, failing(), byteEncoder(), { maximumTokens: 9 })).rejects.toThrow('gone');
    expect(files(directory)).toEqual(['shard-00000.tokens.partial']);
    await expect(openShards(directory)).rejects.toMatchObject({ code: 'token-shards-invalid' });
  });
});

describe('samples that are too long', () => {
  const long: Conversation = { id: 'long', text: 'abcdefghij' };
  const short: Conversation = { id: 'short', text: 'xyz' };

  test('are truncated unless said otherwise, and counted', async () => {
    const { directory, statistics } = await write([long, short], { maximumTokens: 4 });
    expect(texts(await readAll(directory))).toEqual(['abcd', 'xyz']);
    expect(statistics).toMatchObject({
      conversations: 2,
      samples: 2,
      truncated: 1,
      tokens: 7,
      trainedTokens: 5,
      longest: 4,
    });
  });

  test('are split so that every token is still predicted exactly once', async () => {
    const { directory, statistics } = await write([long], { maximumTokens: 4, tooLong: 'split' });
    const samples = await readAll(directory);
    expect(texts(samples)).toEqual(['abcd', 'defg', 'ghij']);
    expect(samples.map(({ id }) => id)).toEqual(['long#1', 'long#2', 'long#3']);
    expect(samples.map(({ pieceOf }) => pieceOf)).toEqual(['long', 'long', 'long']);
    expect(statistics).toMatchObject({ conversations: 1, samples: 3, split: 1, trainedTokens: 9 });
  });

  test('are dropped and counted', async () => {
    const { directory, statistics } = await write([long, short], { maximumTokens: 4, tooLong: 'drop-counted' });
    expect(texts(await readAll(directory))).toEqual(['xyz']);
    expect(statistics).toMatchObject({ conversations: 2, samples: 1, dropped: 1 });
  });

  test('are refused by name', async () => {
    await expect(write([long], { maximumTokens: 4, tooLong: 'refuse' })).rejects.toMatchObject({
      code: 'sample-too-long',
      message: 'sample long: expected at most 4 tokens, found 10',
    });
  });

  test('leave no sample without anything to learn: it is counted', async () => {
    const prompt = chat('prompt', 'a long question', 'a');
    const { statistics } = await write([prompt, short], { maximumTokens: 4 });
    expect(statistics).toMatchObject({ conversations: 2, samples: 1, truncated: 1, untrained: 1 });
    await expect(write([prompt], { maximumTokens: 4 })).rejects.toMatchObject({ code: 'dataset-empty' });
  });

  test('splitting loses and doubles no trained token, at any length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary-ascii', minLength: 1 }), { minLength: 2, maxLength: 9 }),
        fc.integer({ min: 2, max: 12 }),
        async (turns, maximumTokens) => {
          const whole = await write([chat('a', ...turns)], { maximumTokens: 9999 });
          const { statistics } = await write([chat('a', ...turns)], { maximumTokens, tooLong: 'split' });
          expect(statistics.trainedTokens).toBe(whole.statistics.trainedTokens);
          expect(statistics.longest).toBeLessThanOrEqual(maximumTokens);
        },
      ),
      { numRuns: 30, seed: 4 },
    );
  });
});

describe('what cannot be right is refused', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['no conversation', () => write([], { maximumTokens: 4 }), 'dataset-empty'],
    ['rows of one token', () => write([], { maximumTokens: 1 }), 'training-setting-invalid'],
    ['shards of no bytes', () => write([], { maximumTokens: 4, shardBytes: 0 }), 'training-setting-invalid'],
    [
      'an id beyond the vocabulary',
      () => write([{ id: 'a', text: 'z' }], { maximumTokens: 4 }, 100),
      'dataset-row-invalid',
    ],
    ['a directory without shards', () => openShards(temporaryDirectory()), 'token-shards-invalid'],
  ])('%s', async (_, act, code) => {
    await expect(act()).rejects.toMatchObject({ code });
  });

  test('an encoder with spans outside of its tokens', async () => {
    const encoder = {
      ...byteEncoder(),
      encodeConversation: () => ({ ids: new Int32Array(3), trained: [{ start: 2, end: 4 }] }),
    };
    const act = writeShards(temporaryDirectory(), [chat('a', 'q', 'a')], encoder, { maximumTokens: 9 });
    await expect(act).rejects.toMatchObject({ code: 'dataset-row-invalid' });
  });

  test('a sample number that does not exist', async () => {
    const { directory } = await write([chat('a', 'q', 'a')], { maximumTokens: 9 });
    const shards = await openShards(directory);
    for (const sample of [-1, 1, 0.5]) expect(() => shards.lengthOf(sample)).toThrow(RangeError);
    await shards.close();
  });

  test('damaged shards give samples or a coded error, never another; and no changed byte escapes verification', async () => {
    const conversations = Array.from({ length: 6 }, (_, index) =>
      chat(`row ${index}`, 'question', 'answer', 'why', 'so'),
    );
    const { directory } = await write(conversations, { maximumTokens: 99, shardBytes: 200 });
    const names = files(directory);
    const sound = new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
    const damage = fc.record({ at: fc.nat(2 ** 16), value: fc.nat(255) });
    const outcomeOf = async (act: () => Promise<unknown>) =>
      act().then(
        () => 'sound',
        (error: unknown) => error,
      );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(2 ** 16)),
        async (name, damages, cut) => {
          const original = sound.get(name) ?? Buffer.alloc(0);
          const bytes = Buffer.from(original);
          for (const { at, value } of damages) bytes[at % bytes.length] = value;
          const damaged = cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
          writeFileSync(join(directory, name), damaged);
          const read = await outcomeOf(() => readAll(directory));
          const verified = await outcomeOf(async () => {
            const shards = await openShards(directory);
            try {
              await shards.verify();
            } finally {
              await shards.close();
            }
          });
          writeFileSync(join(directory, name), original);
          for (const outcome of [read, verified])
            expect(outcome === 'sound' || hasCode(outcome, 'token-shards-invalid')).toBe(true);
          if (name !== 'shards.json') expect(verified === 'sound').toBe(damaged.equals(original));
        },
      ),
      { numRuns: 400, seed: 5 },
    );
  });
});
