import { evaluateItems, type EvaluationRequest } from '../../../evaluation/evaluate/evaluate-items.js';
import { quantileOf } from '../../../config/quantile.js';
import { factsOfResults } from '../../../evaluation/evaluate/facts.js';
import { linesOf, parseLines, type ItemResult } from '../../../evaluation/evaluate/item-result.js';
import { readItems, type Item, type ItemRow } from '../../../evaluation/evaluate/items.js';
import { createScorerRegistry } from '../../../evaluation/index.js';
import type { GenerationEvent, GenerationRequest } from '../../../engine/index.js';

const exact = createScorerRegistry().get('exact-match');

const row = (id: string, answer?: string, extra?: ItemRow['extra']): ItemRow => ({
  id,
  messages: [
    { role: 'user', content: `question ${id}` },
    ...(answer === undefined ? [] : [{ role: 'assistant', content: answer }]),
  ],
  ...(extra && { extra }),
});

async function* rows(...all: readonly ItemRow[]): AsyncGenerator<ItemRow> {
  yield* all;
}

const itemsOf = (count: number): Promise<readonly Item[]> =>
  readItems(rows(...Array.from({ length: count }, (_, number) => row(String(number), String(number)))), undefined);

/** Says the number in the prompt, one token a turn of the event loop, later ones sooner. */
class Speaker {
  under = 0;
  most = 0;
  asked = 0;

  constructor(private readonly turnsOf: (number: number) => number = (number) => 20 - number) {}

  readonly generate = async function* (
    this: Speaker,
    { prompt, maximumNewTokens, signal }: GenerationRequest,
  ): AsyncGenerator<GenerationEvent> {
    this.asked += 1;
    this.most = Math.max(this.most, (this.under += 1));
    try {
      const number = prompt[0] ?? 0;
      for (let turn = 0; turn < this.turnsOf(number); turn += 1) {
        if (turn === maximumNewTokens) return yield { kind: 'end', reason: 'length', text: '' };
        await new Promise((resolve) => setImmediate(resolve));
        if (signal?.aborted) return yield { kind: 'end', reason: 'cancelled', text: '' };
        yield { kind: 'token', id: 0, text: turn === 0 ? String(number) : '' };
      }
      yield { kind: 'end', reason: 'stop', text: '' };
    } finally {
      this.under -= 1;
    }
  }.bind(this);
}

interface Evaluated {
  readonly results: ItemResult[];
  /** Of each item; undefined where it was not asked. */
  readonly latencies: (number | undefined)[];
}

async function evaluate(
  items: readonly Item[],
  speaker: Speaker,
  more: Partial<EvaluationRequest> & { readonly lengthOf?: (number: number) => number } = {},
): Promise<Evaluated> {
  const [results, latencies]: [Evaluated['results'], Evaluated['latencies']] = [[], []];
  const { lengthOf = () => 1, ...rest } = more;
  await evaluateItems({
    respondent: {
      sequences: 3,
      capacity: 32,
      encode: (messages) => {
        const number = Number(/\d+/.exec(messages.at(-1)?.content ?? '')?.[0]);
        return new Int32Array(lengthOf(number)).fill(number);
      },
      generate: speaker.generate,
    },
    items,
    scorers: [exact],
    maximumTokens: 100,
    stopStrings: [],
    from: 0,
    take: async ({ result, latencyMs }) => {
      await new Promise((resolve) => setImmediate(resolve));
      results.push(result);
      latencies.push(latencyMs);
    },
    onToken: () => undefined,
    stop: new AbortController().signal,
    ...rest,
  });
  return { results, latencies };
}

describe('an evaluation', () => {
  it('hands results on in the order of the set, whichever is done first, and asks so many at once', async () => {
    const speaker = new Speaker();
    const { results, latencies } = await evaluate(await itemsOf(12), speaker);
    expect(results.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, number) => String(number)));
    expect(results.every(({ scores }) => scores['exact-match']?.score === 1)).toBe(true);
    expect([speaker.most, speaker.asked]).toEqual([3, 12]);
    expect(latencies).toEqual(results.map(() => expect.any(Number) as number));
  });

  it('goes on behind what an earlier attempt has scored', async () => {
    const { results } = await evaluate(await itemsOf(6), new Speaker(), { from: 4 });
    expect(results.map(({ id }) => id)).toEqual(['4', '5']);
  });

  it('does not ask a prompt that leaves no room for an answer: it scores 0, with the reason', async () => {
    const speaker = new Speaker();
    const lengthOf = (number: number) => (number === 1 ? 32 : 31);
    const { results, latencies } = await evaluate(await itemsOf(3), speaker, { lengthOf });
    expect(speaker.asked).toBe(2);
    expect(latencies.map((latencyMs) => latencyMs === undefined)).toEqual([false, true, false]);
    expect(results[1]).toEqual({
      id: '1',
      scores: { 'exact-match': { score: 0, detail: 'a prompt of 32 tokens, longer than the context' } },
      text: '',
      finish: 'prompt-too-long',
      promptTokens: 32,
      generatedTokens: 0,
    });
    // One token of room is asked for one token.
    expect(results[0]).toMatchObject({ finish: 'length', generatedTokens: 1, text: '0' });
  });

  it('ends with what a scorer throws, and waits for no other answer', async () => {
    const speaker = new Speaker((number) => (number === 0 ? 1 : 1_000_000));
    const broken = { ...exact, score: () => Promise.reject(new Error('broken scorer')) };
    const run = evaluate(await itemsOf(9), speaker, { scorers: [broken], maximumTokens: 1_000_000, lengthOf: () => 1 });
    await expect(run).rejects.toThrow('broken scorer');
    expect(speaker.under).toBe(0);
  });

  it('ends with the reason of a stop', async () => {
    const stop = new AbortController();
    const take = () => Promise.resolve(stop.abort(new Error('told to end')));
    const run = evaluate(await itemsOf(9), new Speaker(), { stop: stop.signal, take });
    await expect(run).rejects.toThrow('told to end');
  });
});

describe('the items of a set', () => {
  it('are asked without the answer that is their reference', async () => {
    const [item] = await readItems(rows(row('a', 'yes', { level: 2 })), undefined);
    expect(item).toEqual({
      id: 'a',
      messages: [{ role: 'user', content: 'question a' }],
      reference: 'yes',
      fields: { level: 2 },
    });
  });

  it('have their reference in the field that is named', async () => {
    const [item] = await readItems(rows(row('a', 'no', { sql: 'SELECT 1' })), 'sql');
    expect(item?.reference).toBe('SELECT 1');
  });

  const answerOnly: ItemRow = { id: 'a', messages: [{ role: 'assistant', content: 'yes' }] };
  it.each<[string, readonly ItemRow[], string | undefined, string, string]>([
    ['no row', [], undefined, 'dataset-empty', 'at least one row'],
    [
      'a row without an answer',
      [row('a', 'b'), row('c')],
      undefined,
      'evaluation-invalid',
      'row "c": expected an answer',
    ],
    [
      'a row without the field',
      [row('a')],
      'sql',
      'evaluation-invalid',
      'row "a": expected a text in its field sql, found no such',
    ],
    ['a field that is no text', [row('a', 'b', { sql: 3 })], 'sql', 'evaluation-invalid', 'found another value'],
    [
      'an inherited field',
      [row('a', 'b', {})],
      'toString',
      'evaluation-invalid',
      'field toString, found no such field',
    ],
    ['nothing to answer', [answerOnly], undefined, 'evaluation-invalid', 'row "a": expected a message to answer'],
    ['an id twice', [row('a', 'b'), row('a', 'c')], undefined, 'evaluation-invalid', 'row "a": expected an id'],
  ])('are refused, by name: %s', async (_, all, reference, code, message) => {
    await expect(readItems(rows(...all), reference)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('the facts of an evaluation', () => {
  const result = (score: number, more: Partial<ItemResult> = {}): ItemResult => ({
    id: 'a',
    scores: { 'exact-match': { score, detail: '' } },
    text: 'yes',
    finish: 'stop',
    promptTokens: 3,
    generatedTokens: 2,
    ...more,
  });

  it("are counts, and a mean with Wilson's interval for right and wrong", () => {
    const results = [result(1), result(0, { finish: 'length', text: ' ' }), result(1), result(1)];
    expect(factsOfResults(results, [exact])).toEqual({
      items: 4,
      scores: {
        'exact-match': {
          version: 1,
          kind: 'right-wrong',
          mean: 0.75,
          right: 3,
          // Wilson, 3 of 4 at 95 %: 0.3006, 0.9544.
          interval: { lower: expect.closeTo(0.3006, 4), upper: expect.closeTo(0.9544, 4), level: 0.95 },
        },
      },
      finish: { stop: 3, 'stop-string': 0, length: 1, 'prompt-too-long': 0 },
      emptyAnswers: 1,
      promptTokens: 12,
      generatedTokens: 8,
    });
  });

  it('are a mean with an interval that resampling gives, for scores of other kinds', () => {
    const facts = factsOfResults([result(0.2), result(0.4), result(0.9)], [{ ...exact, kind: 'mean' }]);
    expect(facts['scores']).toMatchObject({ 'exact-match': { kind: 'mean', mean: expect.closeTo(0.5, 9) } });
    expect(factsOfResults([result(0.2), result(0.4), result(0.9)], [{ ...exact, kind: 'mean' }])).toEqual(facts);
  });

  it('take a quantile for a value that was measured', () => {
    expect(quantileOf([4, 1, 3, 2], 0.5)).toBe(2);
    expect(quantileOf([4, 1, 3, 2], 0.95)).toBe(4);
    expect(quantileOf([], 0.5)).toBeUndefined();
  });

  it('survive the way into lines and back, and lines of something else are refused', () => {
    const results = [result(1), result(0, { text: 'two\nlines' })];
    expect(parseLines(linesOf(results))).toEqual(results);
    expect(() => parseLines(Buffer.from('{"id":"a"}\n'))).toThrow(expect.objectContaining({ code: 'record-invalid' }));
  });
});
