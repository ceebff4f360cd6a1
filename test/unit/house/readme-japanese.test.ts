/** README.ja.md says what README.md says: the same sections, the same commands and programs, the same tables of figures and tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../..', name), 'utf8');
const english = read('README.md');
const japanese = read('README.ja.md');

const codeBlock = /^```[^]*?^```$/gm;
const codeOf = (text: string): string[] => text.match(codeBlock) ?? [];
const proseOf = (text: string): string => text.replaceAll(codeBlock, '');
const levelsOf = (text: string): string[] => proseOf(text).match(/^#+(?= )/gm) ?? [];
const namesIn = (text: string): string[] => [...new Set(proseOf(text).match(/`[^`\n]+`/g))].toSorted();

/** Of each row what is the same in every language: names of tests and files, figures, units. */
const cellsOf = (text: string): string[][] =>
  (text.match(/^\|.*\|$/gm) ?? []).map((row) => row.match(/`[^`]+`|\d[\d,.]*/g) ?? []);

it('links to each other', () => {
  expect(english).toContain('(README.ja.md)');
  expect(japanese).toContain('(README.md)');
});

it('has the sections of README.md, in their order', () => {
  expect(levelsOf(english).length).toBeGreaterThan(5);
  expect(levelsOf(japanese)).toEqual(levelsOf(english));
});

it('shows the same commands and programs', () => {
  expect(codeOf(english).length).toBeGreaterThan(5);
  expect(codeOf(japanese)).toEqual(codeOf(english));
});

it('names the same files, commands and packages', () => {
  expect(namesIn(japanese)).toEqual(namesIn(english));
});

it('has the rows of every table, with the same figures and tests', () => {
  // The first column of the guarantees is a sentence, which may count in words.
  const figures = (text: string) => cellsOf(text).map((cells) => cells.filter((cell) => /^`|\d{2}|\./.test(cell)));
  expect(figures(english).length).toBeGreaterThan(50);
  expect(figures(japanese)).toEqual(figures(english));
});
