import { createScorerRegistry, type Scorer } from '../../../evaluation/index.js';

const ask = (answer: string, reference?: string) =>
  createScorerRegistry()
    .get('exact-match')
    .score({ prompt: '?', answer, ...(reference === undefined ? {} : { reference }), item: { id: 'q1', fields: {} } });

describe('exact match', () => {
  it.each([
    ['SELECT  1', ' SELECT 1\n'],
    ['ＳＥＬＥＣＴ　１', 'SELECT 1'],
    ['が', 'か\u3099'],
  ])('takes %j for %j: Unicode forms and spaces do not count', (answer, reference) => {
    expect(ask(answer, reference)).toEqual({ score: 1, detail: 'equal' });
  });

  it.each([
    ['select 1', 'SELECT 1'],
    ['SELECT 1;', 'SELECT 1'],
    ['', 'SELECT 1'],
  ])('does not take %j for %j: case and punctuation count', async (answer, reference) => {
    expect(await ask(answer, reference)).toMatchObject({ score: 0 });
  });

  it('says in one short line what was expected and what was found', async () => {
    const { detail } = await ask(`${'𠮷'.repeat(200)}\n`, 'one\ntwo');
    expect(detail).toBe(`expected "one two", found "${'𠮷'.repeat(80)}…"`);
  });

  it('takes an item without a reference for a broken item', () => {
    expect(() => ask('1')).toThrow(expect.objectContaining({ code: 'evaluation-invalid' }));
  });
});

describe('the scorers', () => {
  const shortest: Scorer = {
    id: 'brevity',
    version: 1,
    kind: 'mean',
    score: ({ answer }) => ({ score: -answer.length, detail: `${answer.length} characters` }),
  };

  it('are those that come along and those that a user adds', () => {
    const registry = createScorerRegistry([shortest]);
    expect(registry.ids).toEqual(['brevity', 'exact-match']);
    expect(registry.get('brevity')).toBe(shortest);
  });

  it('have different names, and no others', () => {
    expect(() => createScorerRegistry([shortest, shortest])).toThrow(expect.objectContaining({ code: 'gate-invalid' }));
    expect(() => createScorerRegistry().get('constructor')).toThrow(
      expect.objectContaining({ message: 'expected one of the scorers exact-match, found "constructor"' }),
    );
  });
});
