/** Attempts at the stage evaluate that are told to end at a certain item, in this process: what the next one observes. */
import { setImmediate } from 'node:timers/promises';
import { evaluateOptions, evaluationObservations } from '../../../config/evaluate-options.js';
import { kernelsRunner } from '../../../engine/index.js';
import { evaluateStage, type EvaluationPlace } from '../../../evaluation/evaluate/evaluate-stage.js';
import type { EvaluationOutcome } from '../../../evaluation/evaluate/job.js';
import type { ItemRow } from '../../../evaluation/evaluate/items.js';
import { openObjectStore, type JsonObject, type ObjectStore } from '../../../storage/index.js';
import { conversationLines, copyModel } from '../../support/model-fixtures.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { wasm } from '../../support/training-stage.js';

const items = 32;

const runner = kernelsRunner({ backend: 'wasm' });

let store: ObjectStore;
let model: string;
beforeAll(async () => {
  store = await openObjectStore(`file://${temporaryDirectory()}/store`, { forWriting: true });
  model = await copyModel('qwen3-qknorm', temporaryDirectory());
});
afterAll(() => store.close());

async function* rows(): AsyncGenerator<ItemRow> {
  for (const line of conversationLines(items).trimEnd().split('\n')) {
    await setImmediate();
    yield JSON.parse(line) as ItemRow;
  }
}

interface Attempt {
  readonly outcome: EvaluationOutcome | undefined;
  /** Items that it found done. */
  readonly began: number;
}

/** @param endAt how many items are done when it is told to end */
async function attempt(name: string, number: number, endAt?: number): Promise<Attempt> {
  const told = new AbortController();
  const done: number[] = [];
  const options = { scorers: ['exact-match'], context: 128, maximumTokens: 8 };
  const place: EvaluationPlace = {
    store,
    writer: await claim(store, stageKeyOf(name), number),
    runner,
    stop: told.signal,
    rows,
    progress: ({ phase, facts }) => {
      if (phase !== 'evaluate' || facts?.done === undefined) return;
      done.push(facts.done);
      if (facts.done === endAt) told.abort(new Error('told to end'));
    },
    model: () => Promise.resolve({ directory: model, weightBytes: 1 }),
    teacher: () => Promise.resolve(undefined),
    database: () => Promise.resolve(undefined),
    scorerModule: undefined,
  };
  const job = { with: evaluateOptions.parse(options) as JsonObject, inputs: {}, numerics: wasm };
  const run = evaluateStage(job, place);
  if (endAt !== undefined) await expect(run).rejects.toThrow('told to end');
  return { outcome: endAt === undefined ? await run : undefined, began: done[0] ?? 0 };
}

it.each([
  ['all answers durable asks nothing', items, items],
  ['some answers durable asks the rest', 20, 16],
])('an attempt that finds %s, and tells how long every request took', async (name, endAt, durable) => {
  await attempt(name, 1, endAt);
  const { began, outcome } = await attempt(name, 2);
  expect(began).toBe(durable);
  expect(outcome?.observations).toMatchObject({
    requests: items,
    latencyP50Ms: expect.any(Number) as number,
    latencyP95Ms: expect.any(Number) as number,
  });
  const numbers = Object.entries((outcome?.observations ?? {}) as JsonObject).filter(
    ([, value]) => typeof value === 'number',
  );
  expect(numbers.map(([observation]) => observation).toSorted()).toEqual(evaluationObservations.toSorted());
});
