/** Recorded answers as an evaluation judges them, on a real store: nothing is left out, and an attempt goes on where another ended. */
import type { ItemRow } from '../../../evaluation/evaluate/items.js';
import { evaluateAnswers, type AnswerGiven } from '../../../evaluation/evaluate/evaluate-answers.js';
import { parseLines } from '../../../evaluation/evaluate/item-result.js';
import { digestOf, openObjectStore, readContent, type ObjectStore } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
beforeAll(async () => (store = await openObjectStore(`file://${temporaryDirectory()}/store`, { forWriting: true })));
afterAll(() => store.close());

const set = digestOf('the set');

const row = (id: string, reference: string): ItemRow => ({
  id,
  messages: [
    { role: 'user', content: `Say ${reference}` },
    { role: 'assistant', content: reference },
  ],
});

const given = (fate: AnswerGiven['fate'], text = ''): AnswerGiven => ({
  fate,
  text,
  promptTokens: 3,
  completionTokens: 2,
});

interface Evaluation {
  readonly name: string;
  readonly rows: readonly ItemRow[];
  readonly answers: Readonly<Record<string, AnswerGiven>>;
  readonly prompts?: string;
  readonly options?: object;
  readonly stop?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

async function evaluate(evaluation: Evaluation) {
  const { name, rows, answers, prompts = set, options = {}, stop, onProgress } = evaluation;
  const writer = await claim(store, stageKeyOf(name));
  const dataset = { kind: 'dataset', digest: set, uri: 'blobs/set', bytes: 1, indexBytes: 1 };
  const numerics = { runner: 'wasm', tensorflow: null, xla: false, precision: 'float32', threads: 1 } as const;
  return evaluateAnswers(
    { with: { scorers: ['exact-match@1'], ...options }, inputs: { dataset }, numerics },
    {
      store,
      writer,
      progress: ({ facts }) => onProgress?.(facts?.done ?? 0),
      stop: stop ?? new AbortController().signal,
      async *rows() {
        yield* rows;
      },
      database: () => Promise.resolve(undefined),
      scorerModule: undefined,
      answers: () =>
        Promise.resolve({
          prompts,
          decoding: { sampling: 'greedy', maximumTokens: 9 },
          byPrompt: new Map(Object.entries(answers)),
        }),
      speed: () => Promise.resolve({ latencyP95Ms: 70 }),
    },
  );
}

it('every item has a score: what was refused or not taken is wrong whatever its words are, the rest is judged as it is', async () => {
  const rows = ['said', 'cut', 'nothing', 'no', 'never', 'stopped'].map((id) => row(id, id));
  const { outputs, facts, observations } = await evaluate({
    name: 'each fate',
    rows,
    options: { stop: [';'] },
    answers: {
      said: given('answered', 'said'),
      cut: given('cut-off', 'cut'),
      nothing: given('empty'),
      no: given('refused', 'no'),
      never: given('rejected'),
      stopped: given('answered', 'stopped; and more'),
    },
  });
  const results = parseLines(await readContent(store, outputs['scores']!));
  expect(results.map(({ id, finish, scores }) => [id, finish, scores['exact-match']?.score])).toEqual([
    ['said', 'stop', 1],
    ['cut', 'length', 1],
    ['nothing', 'stop', 0],
    ['no', 'refused', 0],
    ['never', 'rejected', 0],
    ['stopped', 'stop-string', 1],
  ]);
  expect(results[3]?.scores['exact-match']?.detail).toBe('the endpoint refused to answer');
  expect(facts).toMatchObject({
    items: 6,
    scores: { 'exact-match': { right: 3, mean: 0.5 } },
    finish: { stop: 2, refused: 1, rejected: 1, 'prompt-too-long': 0 },
    decoding: { sampling: 'greedy', maximumTokens: 9 },
  });
  expect(observations).toMatchObject({ latencyP95Ms: 70 });
  expect(observations).not.toHaveProperty('weightBytes');
});

it('answers to another set, or to not all of it, are not taken for these', async () => {
  const rows = [row('one', '1'), row('two', '2')];
  const answers = { one: given('answered', '1') };
  await expect(evaluate({ name: 'not all', rows, answers })).rejects.toMatchObject({
    code: 'evaluation-invalid',
    message: 'item two: expected what was answered to it, found nothing',
  });
  await expect(evaluate({ name: 'another', rows, answers, prompts: digestOf('other') })).rejects.toMatchObject({
    code: 'evaluation-invalid',
    message: expect.stringContaining('found answers to ') as string,
  });
});

it('one that is told to end makes its scores durable, and the next attempt comes to the artifact of one that was left alone', async () => {
  const rows = Array.from({ length: 50 }, (_, at) => row(`item-${at}`, `${at % 7}`));
  const answers = Object.fromEntries(rows.map(({ id }, at) => [id, given('answered', `${at % 5}`)]));
  const told = new AbortController();
  const first = evaluate({
    name: 'told',
    rows,
    answers,
    stop: told.signal,
    onProgress: (done) => done === 40 && told.abort(new Error('told to end')),
  });
  await expect(first).rejects.toThrow('told to end');
  const begun: number[] = [];
  const resumed = await evaluate({ name: 'told', rows, answers, onProgress: (done) => begun.push(done) });
  // Two parts of 16 were durable.
  expect(begun.find((done) => done > 0)).toBe(33);
  const alone = await evaluate({ name: 'alone', rows, answers });
  expect(resumed.outputs['scores']?.digest).toBe(alone.outputs['scores']?.digest);
});
