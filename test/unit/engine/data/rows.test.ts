import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { hasCode } from '../../../../config/errors.js';
import { parseJsonlRows } from '../../../../engine/data/jsonl.js';
import type { Row } from '../../../../engine/data/row.js';
import { readRows } from '../../../../engine/data/rows.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = temporaryDirectory();
const bytes = (text: string) => new TextEncoder().encode(text);
const parquet = (name: string) => join(import.meta.dirname, `${name}.parquet`);

async function collect(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('rows of JSONL', () => {
  test('blank lines are passed over but counted; a byte order mark, CRLF and a missing last newline change nothing', async () => {
    const path = file('rows.jsonl', '\uFEFF{"a":1}\r\n\n  \n{"a":"ö"}');
    expect(await collect(readRows(path))).toEqual([
      { number: 1, record: { a: 1 } },
      { number: 4, record: { a: 'ö' } },
    ]);
  });

  test('the rows do not depend on how the bytes were cut into chunks', async () => {
    const record = fc.record({ text: fc.string({ unit: 'binary' }), n: fc.integer() });
    await fc.assert(
      fc.asyncProperty(fc.array(record), fc.integer({ min: 1, max: 9 }), async (records, size) => {
        const whole = bytes(records.map((each) => `${JSON.stringify(each)}\n`).join(''));
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
          whole.subarray(index * size, (index + 1) * size),
        );
        const read = await collect(parseJsonlRows(chunks));
        expect(JSON.stringify(read.map((row) => row.record))).toBe(JSON.stringify(records));
      }),
    );
  });

  test.each([
    ['half a line', '{"a":1}\n{"a":', 'row 2: expected a JSON object on one line'],
    ['a list', '\n[1]', 'row 2: expected a JSON object, found a list of 1'],
    ['deep nesting', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 'row 1: expected at most 100 levels'],
  ])('%s is refused with the number of its line', async (_, text, message) => {
    await expect(collect(parseJsonlRows([bytes(text)]))).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message: expect.stringContaining(message),
    });
  });

  test('bytes that are not UTF-8 are refused with the number of their line', async () => {
    const chunks = [bytes('{"a":1}\n{"a":"'), Uint8Array.of(0xc3, 0x28), bytes('"}\n')];
    await expect(collect(parseJsonlRows(chunks))).rejects.toThrow('row 2: expected UTF-8');
  });

  test('a line beyond the limit is refused before it is held whole', async () => {
    let given = 0;
    const endless = function* () {
      for (;;) {
        given += 1;
        yield bytes('x'.repeat(64));
      }
    };
    await expect(collect(parseJsonlRows(endless(), 1000))).rejects.toThrow('row 1: expected a line of at most 1000');
    expect(given).toBe(16);
  });
});

describe('rows of files', () => {
  test('a missing file and an unknown ending have codes', async () => {
    for (const name of ['none.jsonl', 'none.parquet'])
      await expect(collect(readRows(join(directory, name)))).rejects.toMatchObject({ code: 'dataset-missing' });
    expect(() => readRows('rows.csv')).toThrow(expect.objectContaining({ code: 'dataset-file-invalid' }));
  });
});

describe('rows of Parquet', () => {
  const hasZstd = 'zstdDecompressSync' in zlib;

  test('a file compressed with zstd gives rows, or is refused by that name where this Node lacks it', async () => {
    const outcome = await collect(readRows(parquet('zstd'))).catch((error: unknown) => error);
    const refusal = { code: 'dataset-file-invalid', message: expect.stringContaining('ZSTD') as string };
    expect(outcome).toEqual(hasZstd ? expect.any(Array) : expect.objectContaining(refusal));
  });

  test('a row group of more rows than memory can be expected to hold is refused before it is decoded', async () => {
    await expect(collect(readRows(parquet('many')))).rejects.toMatchObject({
      code: 'dataset-file-invalid',
      message: expect.stringContaining('expected row groups of at most 16777216 rows, found one of 16777217') as string,
    });
  });

  test.each(['none', 'snappy', 'gzip', 'brotli', ...(hasZstd ? ['zstd'] : [])])(
    'a file of three row groups, compressed with %s, gives the rows that were written',
    async (name) => {
      const rows = await collect(readRows(parquet(name)));
      expect(rows.map((row) => row.number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(rows[3]?.record).toEqual({
        id: 3,
        messages: [
          { role: 'user', content: 'question 3 ö' },
          { role: 'assistant', content: 'answer 3' },
        ],
        score: 1.5,
      });
      expect(rows[0]?.record['id']).toBe('9007199254740993');
    },
  );

  test('a damaged file gives its rows or a coded error, never another error', async () => {
    const sound = readFileSync(parquet('snappy'));
    const damage = fc.record({ at: fc.nat(sound.length - 1), value: fc.nat(255), length: fc.nat(sound.length) });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), fc.boolean(), async (damages, cut) => {
        const damaged = Uint8Array.from(sound);
        for (const { at, value } of damages) damaged[at] = value;
        const path = file('damaged.parquet', cut ? damaged.subarray(0, damages[0]?.length) : damaged);
        const outcome = await collect(readRows(path)).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || hasCode(outcome, 'dataset-file-invalid')).toBe(true);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
