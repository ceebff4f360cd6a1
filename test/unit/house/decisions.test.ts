import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('decisions', () => {
  const pages = readdirSync(join(root, 'docs/decisions'));

  it.each(pages)('%s is dated and has at most 40 lines', (page) => {
    expect(page).toMatch(/^\d{4}-\d{2}-\d{2}-[a-z-]+\.md$/);
    expect(read(join('docs/decisions', page)).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('name every dependency', () => {
    const {
      dependencies,
      peerDependencies,
      devDependencies,
    }: Record<string, Record<string, string>> = JSON.parse(read('package.json'));
    const names = Object.keys({ ...dependencies, ...peerDependencies, ...devDependencies });
    const texts = pages.map((page) => read(join('docs/decisions', page))).join('\n');
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !texts.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the lockfile', () => {
  it('records no download address, so that any registry serves it', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });
});
