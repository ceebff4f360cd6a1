import { parse } from 'yaml';
import { modelCard, wilsonInterval, type ModelCardFacts } from '../../../evaluation/index.js';
import { digestOf } from '../../../storage/index.js';

const digest = digestOf('weights');
const whole: ModelCardFacts = {
  name: 'shop-sql',
  licence: 'Apache-2.0',
  digest,
  baseModel: 'acme/small',
  teacher: { name: 'acme/large', revision: '2026-11', licence: 'Acme Community', allowsTraining: 'approved-by: legal' },
  languages: ['en', 'ja'],
  data: [{ name: 'prompts', digest: digestOf('prompts'), rows: 1000 }],
  scores: [{ scorer: 'sql v1', value: 0.71, interval: wilsonInterval(355, 500), items: 500, teacher: 0.85 }],
  gate: { verdict: 'pass', reasons: ['pass: sql: better than the base'] },
};

const frontMatterOf = (card: string) => parse(/^---\n([^]*?)\n---\n/.exec(card)?.[1] ?? '') as unknown;

describe('a model card', () => {
  it('begins with front matter that the Hub reads', () => {
    expect(frontMatterOf(modelCard(whole))).toEqual({
      language: ['en', 'ja'],
      license: 'apache-2.0',
      base_model: 'acme/small',
      pipeline_tag: 'text-generation',
      library_name: 'transformers',
      tags: ['knowledge-distillation', 'nightstill'],
    });
  });

  it('says every fact in English and in Japanese', () => {
    const [, english = '', japanese = ''] = modelCard(whole).split(/^## /m);
    expect(english).toMatch(/^English/);
    expect(japanese).toMatch(/^日本語/);
    for (const half of [english, japanese]) {
      for (const fact of [
        'acme/small',
        'acme/large',
        '2026-11',
        'Acme Community',
        'approved-by: legal',
        digest,
        '1,000',
      ])
        expect(half).toContain(fact);
      expect(half).toMatch(/\| sql v1 \| 0\.710 \| 0\.669 – 0\.748 \(95 %\) \| 500 \| 0\.850 \|/);
      expect(half).toContain('pass: sql: better than the base');
      expect(half).toContain('nightstill serve .');
    }
  });

  it('says of each absent fact that it is not recorded', () => {
    const card = modelCard({ name: 'bare', digest });
    expect(frontMatterOf(card)).toMatchObject({ license: 'other' });
    expect(card.match(/not recorded/g)).toHaveLength(9);
    expect(card.match(/記録なし/g)).toHaveLength(9);
    expect(modelCard({ ...whole, data: [{ name: 'prompts', digest }] })).toContain('rows: not recorded');
  });

  it('names a licence that the Hub does not know, and lets no text break the front matter or the page', () => {
    const odd = 'Mine: "yes"\n---\n# <b>';
    const card = modelCard({ ...whole, licence: odd, teacher: { name: 'a|b\n## c' } });
    expect(frontMatterOf(card)).toMatchObject({ license: 'other', license_name: odd });
    expect(card).toContain(String.raw`a\|b \#\# c`);
    expect(card.match(/^## /gm)).toHaveLength(2);
  });

  it('of the same facts is the same text', () => {
    expect(modelCard(structuredClone(whole))).toBe(modelCard(whole));
  });
});
