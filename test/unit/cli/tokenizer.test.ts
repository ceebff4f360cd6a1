import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory();
const output = join(directory, 'tokenizer');
const file = join(directory, 'text.txt');
writeFileSync(file, 'the cat and the dog and the 猫\n'.repeat(20));

const train = (...words: string[]) => nightstill(['tokenizer', 'train', ...words], { PATH: directory });

describe('nightstill tokenizer train', () => {
  it('writes a tokenizer of the size, says how far it is, and overwrites nothing', async () => {
    const words = ['--vocabulary-size', '270', '--special', '<|tool|>', '--output', output, file];
    const { status, standardOutput, standardError } = await train(...words);
    expect({ status, standardOutput }).toEqual({ status: 0, standardOutput: `${output}: a tokenizer of 270 tokens\n` });
    expect(standardError).toMatch(/reading[^]*merging[^]*266 of 266/);
    const written = readFileSync(join(output, 'tokenizer.json'), 'utf8');
    expect(JSON.parse(written)).toMatchObject({ added_tokens: { 3: { id: 269, content: '<|tool|>' } } });
    const again = await train(...words);
    expect(again.status).toBe(2);
    expect(again.standardError).toMatch(/^output-exists: /);
    expect(readFileSync(join(output, 'tokenizer.json'), 'utf8')).toBe(written);
  });

  it('says what it expected', async () => {
    const binary = join(directory, 'binary');
    writeFileSync(binary, Buffer.from([0xff, 0xfe]));
    const place = join(directory, 'none');
    const size = ['--vocabulary-size', '270'];
    for (const [words, found] of [
      [[...size, file], '--output DIR'],
      [[...size, '--output', place], 'at least one text file'],
      [['--output', place, file], '--vocabulary-size'],
      [['--vocabulary-size', 'many', '--output', place, file], '"many"'],
      [[...size, '--output', place, join(directory, 'missing.txt')], 'missing.txt'],
      [[...size, '--output', place, binary], 'UTF-8'],
      [['--vocabulary-size', '5000', '--output', place, file], '5000 are wanted'],
    ] as const) {
      const { status, standardError } = await train(...words);
      expect({ words, status }).toEqual({ words, status: 2 });
      expect(standardError.slice(standardError.indexOf('tokenizer-training-invalid: '))).toContain(found);
    }
    expect(existsSync(place)).toBe(false);
    expect((await nightstill(['tokenizer', 'dance'], { PATH: directory })).status).toBe(2);
  });
});
