import { join } from 'node:path';
import { readPages } from '../../house/pages.js';
import { drawHouse } from '../../house/picture.js';
import { house } from '../../house/rules.js';
import { replaceSection, table } from '../../house/sections.js';

describe('generated pages', () => {
  it.each(readPages(join(import.meta.dirname, '../../..')))('$path is up to date (else: npm run docs)', (page) => {
    expect(page.current).toBe(page.wanted);
  });

  it('replace their section and keep the prose around it', () => {
    const page = 'before\n<!-- begin list: generated -->\nold\n<!-- end list -->\nafter';
    expect(replaceSection(page, 'list', 'new $1')).toBe(
      'before\n<!-- begin list: generated -->\n\nnew $1\n\n<!-- end list -->\nafter',
    );
    expect(() => replaceSection(page, 'other', '')).toThrow('expected a section "other"');
  });

  it('draw a table as prettier formats it', () => {
    expect(
      table([
        ['a', 'wide'],
        ['long cell', 'b'],
      ]),
    ).toBe('| a         | wide |\n| --------- | ---- |\n| long cell | b    |');
  });

  it('draw the rooms that are there, with the arrows that do not follow from others', () => {
    const picture = drawHouse(house, new Set(['config', 'storage', 'client', 'workflows', 'activities']));
    expect(picture).toContain('  client --> storage\n');
    expect(picture).not.toContain('client --> config');
    expect(picture).toContain('  workflows -. types .-> activities\n');
    expect(picture).not.toContain('engine/` |');
    expect(picture).not.toContain('--> engine');
  });
});
