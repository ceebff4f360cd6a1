/** A page shows code of an example, word for word: `<!-- snippet: examples/… -->` stands before such a block. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const marked = /<!-- snippet: (\S+) -->\n\n```\w+\n([^]*?)```\n/g;

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);
const snippets = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(marked)].map(([, file = '', code = '']) => ({ page, file, code }));
});

it.each(snippets)('$page shows what stands in $file', ({ file, code }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(code);
});

it('every mark is followed by a block', () => {
  const marks = pages.flatMap((page) => readFileSync(join(root, page), 'utf8').match(/<!-- snippet: /g) ?? []);
  expect(snippets).toHaveLength(marks.length);
  expect(snippets.length).toBeGreaterThan(0);
});
