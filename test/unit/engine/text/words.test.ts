import fc from 'fast-check';
import { atWordBreaks, createWordCounter } from '../../../../engine/text/words.js';

async function* inPieces(text: string, length: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length)
    yield await Promise.resolve(text.slice(start, start + length));
}

async function cut(text: string, length: number, stretch?: number): Promise<string[]> {
  const stretches: string[] = [];
  for await (const each of atWordBreaks(inPieces(text, length), stretch)) stretches.push(each);
  return stretches;
}

function wordsOf(...texts: readonly string[]): ReadonlyMap<string, number> {
  const counter = createWordCounter();
  for (const text of texts) counter.add(text);
  return counter.words();
}

describe('a stream of text', () => {
  it('has the words of the whole, wherever it is cut into pieces', async () => {
    const characters = [
      'a',
      'é',
      'e\u0301',
      '7',
      ' ',
      '  ',
      '\n',
      '\r\n',
      '\t',
      "'s",
      '!',
      '字',
      '👩‍👧',
      '\u0301',
      '\u{1D165}',
      '。',
      'ᄀ',
      'ᅡ',
      '\u{11099}',
      '\u{110BA}',
    ];
    const text = fc.array(fc.constantFrom(...characters), { maxLength: 60 }).map((each) => each.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (whole, length) => {
        const stretches = await cut(whole, length);
        expect(stretches.join('')).toBe(whole);
        expect(stretches).not.toContain('');
        expect(wordsOf(...stretches)).toEqual(wordsOf(whole));
      }),
      { numRuns: 1000, seed: 27 },
    );
  });

  it('is not held back by a line that does not end: it is cut behind words too', async () => {
    const stretches = await cut('some words '.repeat(5000), 100);
    expect(Math.max(...stretches.map(({ length }) => length))).toBeLessThan(120);
  });

  it('is refused where words cannot be told apart, before it is held whole', async () => {
    await expect(cut('字'.repeat(5000), 100, 1000)).rejects.toMatchObject({
      code: 'tokenizer-training-invalid',
      message: expect.stringContaining('within 1000 characters') as string,
    });
  });
});
