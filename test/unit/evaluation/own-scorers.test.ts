import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkScore } from '../../../evaluation/scorers/check-score.js';
import { openOwnScorers } from '../../../evaluation/scorers/own-scorers.js';
import { openScorers } from '../../../evaluation/evaluate/scorers.js';
import type { Score, Scorer } from '../../../evaluation/index.js';
import { loadScorers } from '../../../workers/programs.js';
import { temporaryDirectory } from '../../support/temporary.js';

const moduleOf = async (text: string): Promise<string> => {
  const path = join(temporaryDirectory(), 'scorers.cjs');
  await writeFile(path, text);
  return path;
};

const scorerOf = (body: string, more = ''): Promise<string> =>
  moduleOf(`exports.scorers = [{ id: 'mine', version: 3, kind: 'mean', ${more} score(question) { ${body} } }];`);

const question = { prompt: 'Two and two?', answer: '4', reference: '4', item: { id: 'row-1', fields: { level: 2 } } };

/** The first scorer of the module, for as long as it is used. */
async function using<Result>(module: string, use: (scorer: Scorer) => Promise<Result>): Promise<Result> {
  const [scorer] = await openOwnScorers(module);
  if (!scorer) throw new Error('expected a scorer');
  try {
    return await use(scorer);
  } finally {
    await scorer.close?.();
  }
}

const asked = async (module: string): Promise<Score> => using(module, async (scorer) => scorer.score(question));

const refusal = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

describe('a scorer of the user’s own', () => {
  it('is found in its module by name and version, and sees prompt, answer, reference and item', async () => {
    const module = await scorerOf(
      `return { score: 0.25 * question.item.fields.level, detail: JSON.stringify(question) }`,
    );
    await expect(loadScorers(module)).resolves.toEqual({ module, versions: { mine: 3 } });
    expect(await asked(module)).toEqual({ score: 0.5, detail: JSON.stringify(question) });
  });

  it('may take its time, and is asked one question after another', async () => {
    const module = await moduleOf(`
      let [under, most] = [0, 0];
      exports.scorers = [{ id: 'mine', version: 1, kind: 'mean', async score() {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setTimeout(resolve, 5));
        under -= 1;
        return { score: 1, detail: 'at most ' + most };
      } }];`);
    const scores = await using(module, (scorer) =>
      Promise.all(Array.from({ length: 4 }, async () => scorer.score(question))),
    );
    expect(scores).toEqual(Array.from({ length: 4 }, () => ({ score: 1, detail: 'at most 1' })));
  });

  it.each([
    ['throws', `throw new TypeError('no level')`, /mine, item row-1: expected a score, found: TypeError: no level/],
    ['ends its thread', `process.exit(7)`, /mine, item row-1: expected a score, found: the thread ended/],
    ['rejects elsewhere', `setTimeout(() => { throw new Error('late'); }); return new Promise(() => {})`, /late/],
    ['gives what cannot be told', `return { score: 1, detail: () => 1 }`, /could not be cloned/],
  ])('that %s ends the evaluation as scorer-failed', async (_, body, message) => {
    await expect(asked(await scorerOf(body))).rejects.toThrow(refusal('scorer-failed', message));
  });

  it('that fails after it has answered ends the evaluation as scorer-failed at the next question', async () => {
    const module = await scorerOf(`setTimeout(() => { throw new Error('late'); }); return { score: 1, detail: '' }`);
    await using(module, async (scorer) => {
      await expect(scorer.score(question)).resolves.toEqual({ score: 1, detail: '' });
      // Until the thread has ended: nobody waits for an answer of it.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await expect(scorer.score(question)).rejects.toThrow(refusal('scorer-failed', /found: Error: late/));
    });
  });

  it('that runs or waits for ever ends as scorer-timeout, and nobody waits for it a second time', async () => {
    for (const body of [`for (;;);`, `return new Promise(() => {})`])
      await using(await scorerOf(body, 'timeLimitMs: 200,'), async (scorer) => {
        const [first, second] = await Promise.allSettled([scorer.score(question), scorer.score(question)]);
        expect(first).toMatchObject({
          reason: refusal('scorer-timeout', /^scorer mine, item row-1: expected a score within 200 ms, found none$/),
        });
        expect(second).toMatchObject({ reason: refusal('scorer-failed', /found: it ended/) });
      });
  });

  it.each([
    ['NaN', { score: Number.NaN, detail: '' }, /mine, item 7: expected a number of 0 to 1 .*found NaN/],
    ['more than 1', { score: 1.01, detail: '' }, /found 1\.01/],
    ['less than 0', { score: -0.01, detail: '' }, /found -0\.01/],
    ['a text', { score: '1' as unknown as number, detail: '' }, /found a value of type string/],
    ['no reason', { score: 1 } as Score, /found 1 and undefined/],
    ['nothing', undefined as unknown as Score, /found undefined/],
  ])('that gives %s ends as score-invalid', (_, score, message) => {
    expect(() => checkScore({ id: 'mine', kind: 'mean' }, '7', score)).toThrow(refusal('score-invalid', message));
  });

  it('of right and wrong gives 0 or 1 and nothing between', () => {
    const scored = { score: 0.5, detail: '' };
    expect(() => checkScore({ id: 'mine', kind: 'right-wrong' }, '7', scored)).toThrow(/expected 0 or 1/);
    expect(checkScore({ id: 'mine', kind: 'mean' }, '7', scored)).toEqual(scored);
  });
});

describe('a module of scorers is refused', () => {
  it.each([
    ['without a list', `exports.scorers = 3`, /expected a list of scorers/],
    [
      'with a scorer without a version',
      `exports.scorers = [{ id: 'mine', kind: 'mean', score() {} }]`,
      /\[0\]\.version/,
    ],
    [
      'with a kind that is none',
      `exports.scorers = [{ id: 'mine', version: 1, kind: 'rank', score() {} }]`,
      /\[0\]\.kind/,
    ],
    ['without a function', `exports.scorers = [{ id: 'mine', version: 1, kind: 'mean' }]`, /\[0\]\.score/],
    [
      'with the name of a built-in one',
      `exports.scorers = [{ id: 'exact-match', version: 1, kind: 'mean', score() {} }]`,
      /built-in/,
    ],
    ['that fails when it is loaded', `throw new Error('no such table')`, /no such table/],
  ])('%s', async (_, text, message) => {
    const module = await moduleOf(text);
    await expect(loadScorers(module)).rejects.toThrow(refusal('scorers-invalid', message));
    await expect(openOwnScorers(module)).rejects.toThrow(refusal('scorers-invalid', message));
  });

  it('that is not there', async () => {
    await expect(loadScorers('/nowhere/scorers.cjs')).rejects.toThrow(refusal('scorers-invalid', /found no file/));
  });
});

describe('a worker whose scorers are not those of the plan', () => {
  it.each([
    ['another version', 'mine@2', /expected the scorer mine@2 on this worker, found mine@3/],
    ['none of that name', 'yours@1', /expected the scorer yours@1 on this worker, found only exact-match, mine/],
  ])('has %s and says so', async (_, name, message) => {
    const module = await scorerOf('return { score: 1, detail: "" }');
    await expect(openScorers([name], { database: undefined, module })).rejects.toThrow(
      refusal('scorer-missing', message),
    );
  });

  it('has no module at all and says so', async () => {
    await expect(openScorers(['mine@3'], { database: undefined, module: undefined })).rejects.toThrow(
      refusal('scorer-missing', /found only exact-match/),
    );
  });
});
