import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failures, isFailureCode, type Failure } from '../../../config/failures.js';
import { readTree } from '../../house/sources.js';

const entries = Object.entries<Failure>(failures);
const codes = entries.map(([code]) => code).toSorted();

describe('the table of failures', () => {
  it.each(entries)('gives %s a name in kebab-case and a remedy that is a sentence', (code, { remedy }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(remedy).toMatch(/^[A-Z][^]{8,}\.$/);
  });

  it('loses and renames no code: codes stand in histories and logs of others', () => {
    const known = readFileSync(join(import.meta.dirname, 'failure-codes.txt'), 'utf8')
      .trim()
      .split('\n');
    expect(codes).toEqual(known);
  });

  it('tells its codes from other texts', () => {
    expect(codes.filter(isFailureCode)).toEqual(codes);
    expect(['ENOENT', 'toString', ''].filter(isFailureCode)).toEqual([]);
  });

  it('has a test for every code', () => {
    const texts = [...readTree(join(import.meta.dirname, '../..')).values()].join('\n');
    expect(codes.filter((code) => !texts.includes(`'${code}'`))).toEqual([]);
  });
});
