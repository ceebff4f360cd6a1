import fc from 'fast-check';
import { LineSplitter, type Line } from '../../../distillation/lines.js';

const start = { offset: 0, line: 0 };

function split(bytes: Uint8Array, cuts: readonly number[] = [], from = start): Line[] {
  const splitter = new LineSplitter(from);
  const lines: Line[] = [];
  let begin = 0;
  for (const cut of [...cuts, bytes.length]) {
    lines.push(...splitter.push(bytes.slice(begin, cut)));
    begin = cut;
  }
  return [...lines, ...splitter.end()];
}

const textOf = ({ bytes }: Line): string => Buffer.from(bytes).toString();

describe('lines', () => {
  it('end with a newline, with a carriage return and a newline, or with the file', () => {
    const lines = split(Buffer.from('one\r\ntwo\n\nfour'));
    expect(lines.map(textOf)).toEqual(['one', 'two', '', 'four']);
    expect(lines.map(({ number, end }) => [number, end])).toEqual([
      [1, 5],
      [2, 9],
      [3, 10],
      [4, 14],
    ]);
  });

  it('lose a byte order mark at the start of the file and nowhere else', () => {
    expect(split(Buffer.from('\uFEFFone\n\uFEFFtwo')).map(textOf)).toEqual(['one', '\uFEFFtwo']);
  });

  it('are the same however the bytes arrive, and from whichever of them reading goes on', () => {
    const content = fc.array(fc.constantFrom('\n', '\r', 'a', 'ü', '\uFEFF', ' '), { maxLength: 40 });
    fc.assert(
      fc.property(content, fc.array(fc.nat(80), { maxLength: 6 }), (characters, places) => {
        const bytes = Buffer.from(characters.join(''));
        const whole = split(bytes);
        const cuts = places.filter((place) => place <= bytes.length).toSorted((a, b) => a - b);
        expect(split(bytes, cuts)).toEqual(whole);
        for (const [index, { end, number }] of whole.entries()) {
          const rest = split(bytes.subarray(end), [], { offset: end, line: number });
          expect(rest.map(textOf)).toEqual(whole.slice(index + 1).map(textOf));
        }
      }),
    );
  });

  it('are refused by number when they are too long', () => {
    const splitter = new LineSplitter(start, 10);
    const read = (): Line[] => [...splitter.push(Buffer.from('short\nmuch too long')), ...splitter.end()];
    expect(read).toThrow(
      expect.objectContaining({ code: 'dataset-row-invalid', message: expect.stringContaining('line 2') }),
    );
  });
});
